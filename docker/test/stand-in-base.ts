/**
 * Builds a stand-in for AWS's Lambda base image from packages alone, for engines that reach no registry:
 * Debian's root file system, Node and the runtime interface client from npm, the documented scripts.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import type { Engine } from "./engine.ts";
import { debianRoot, emulator, nativeAddon, npmPackage, scratchFolder } from "./stand-in-parts.ts";

export type NodeMajor = 22 | 24;

/** Node, and the `aws-lambda-ric` that the managed runtime of this Node corresponds to. */
const VERSIONS: Readonly<Record<NodeMajor, { readonly node: string; readonly client: string }>> = {
  22: { node: "22.23.3", client: "3.3.0" },
  24: { node: "24.21.0", client: "4.0.2" },
};
const DEBIAN = "bookworm";
const ROOT_IMAGE = `coldspan-test/debian:${DEBIAN}`;
const SOURCES = resolve("docker/test/stand-in");

/** Builds the image, from the cache what is there (first time two to three minutes), and names it. */
export async function buildStandInBase(engine: Engine, major: NodeMajor): Promise<string> {
  const image = `coldspan-test/lambda-nodejs:${major}`;
  await importRootImage(engine);
  const context = scratchFolder(`context-${major}`);
  await layOut(join(context, "files"), major);
  const file = join(SOURCES, "Dockerfile");
  await engine.docker(
    ...["build", "--quiet", "--network=host", "--tag", image, "--file", file],
    ...["--build-arg", `ROOT_IMAGE=${ROOT_IMAGE}`, context],
  );
  return image;
}

async function importRootImage(engine: Engine): Promise<void> {
  const present = await engine.tryDocker("image", "inspect", ROOT_IMAGE);
  if (present.exitCode !== 0) await engine.docker("import", await debianRoot(DEBIAN), ROOT_IMAGE);
}

/** Puts every file where AWS's image has it. */
async function layOut(root: string, major: NodeMajor): Promise<void> {
  const versions = VERSIONS[major];
  const node = await npmPackage(`node-linux-${process.arch}`, versions.node);
  const client = await npmPackage("aws-lambda-ric", versions.client);
  for (const folder of ["var/lang/bin", "var/runtime", "var/task", "usr/local/bin", "opt"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  cpSync(join(node, "bin/node"), join(root, "var/lang/bin/node"));
  writeFileSync(join(root, "var/runtime/index.mjs"), runtimeSource(client, versions.client));
  cpSync(await nativeAddon(node), join(root, "var/runtime/rapid-client.node"));
  cpSync("/etc/ssl/certs/ca-certificates.crt", join(root, "var/runtime/ca-cert.pem"));
  const bootstrap = readFileSync(join(SOURCES, "bootstrap"), "utf8");
  writeScript(
    join(root, "var/runtime/bootstrap"),
    bootstrap.replaceAll("@NODE_MAJOR@", `${major}`),
  );
  const entrypoint = readFileSync(join(SOURCES, "lambda-entrypoint.sh"), "utf8");
  writeScript(join(root, "lambda-entrypoint.sh"), entrypoint);
  const rie = await emulator();
  if (rie !== undefined) cpSync(rie, join(root, "usr/local/bin/aws-lambda-rie"));
}

/** Client 4 is a program; client 3 is a library that the runtime starts with what the environment says. */
function runtimeSource(client: string, version: string): string {
  if (!version.startsWith("3.")) return readFileSync(join(client, "index.mjs"), "utf8");
  const library = readFileSync(join(client, "dist/index.mjs"), "utf8");
  return `${library}\nawait run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);\n`;
}

function writeScript(file: string, text: string): void {
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

/** An image of the user's own making, as in AWS's documentation: Node and `aws-lambda-ric` from npm. */
export async function buildAnyBase(engine: Engine, major: NodeMajor): Promise<string> {
  const image = `coldspan-test/any-base:${major}`;
  await importRootImage(engine);
  const { node, client } = VERSIONS[major];
  const context = scratchFolder(`any-base-${major}`);
  const nodePackage = await npmPackage(`node-linux-${process.arch}`, node);
  for (const folder of ["bin", "lib"]) {
    const source = join(nodePackage, folder);
    if (existsSync(source))
      cpSync(source, join(context, "files/usr/local", folder), {
        recursive: true,
        verbatimSymlinks: true,
      });
  }
  const modules = join(context, "files/function/node_modules");
  const clientHome = join(modules, "aws-lambda-ric");
  cpSync(await npmPackage("aws-lambda-ric", client), clientHome, { recursive: true });
  const isOld = client.startsWith("3.");
  cpSync(
    await nativeAddon(nodePackage),
    join(clientHome, isOld ? "dist" : "", "rapid-client.node"),
  );
  mkdirSync(join(modules, ".bin"));
  const program = isOld ? "bin/index.mjs" : "index.mjs";
  chmodSync(join(clientHome, program), 0o755);
  symlinkSync(`../aws-lambda-ric/${program}`, join(modules, ".bin/aws-lambda-ric"));
  await engine.docker(
    ...["build", "--quiet", "--network=host", "--tag", image],
    ...["--file", join(SOURCES, "any-base.Dockerfile")],
    ...["--build-arg", `ROOT_IMAGE=${ROOT_IMAGE}`, context],
  );
  return image;
}
