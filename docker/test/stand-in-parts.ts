/** What the stand-in base image is made of, each part made once and kept in `.cache/stand-in`. */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type CommandOptions, ensureDebianPackages, runCommand, tryCommand } from "./command.ts";

const CACHE = resolve(".cache", "stand-in");
/** `strace` counts the files that a function reads while it starts. */
const ROOT_PACKAGES = "ca-certificates,strace";
const ROOT_EXCLUDES = ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"];
/** Its addon serves client 3 as well: both have the same `rapid-client.cc`. */
const ADDON_CLIENT = "4.0.2";
const EMULATOR = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@latest";

/** A folder in the cache for what need not be kept. */
export function scratchFolder(name: string): string {
  const folder = join(CACHE, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Debian's smallest root file system as a tar file. */
export async function debianRoot(suite: string): Promise<string> {
  const tarball = join(CACHE, `debian-${suite}.tar`);
  if (existsSync(tarball)) return tarball;
  await ensureDebianPackages("debootstrap", ["debootstrap"]);
  const root = scratchFolder("debian-root");
  const flags = ["--variant=minbase", `--include=${ROOT_PACKAGES}`];
  await nice("debootstrap", [...flags, suite, root, "http://deb.debian.org/debian"]);
  const excludes = ROOT_EXCLUDES.map((folder) => `--exclude=./${folder}/*`);
  await runCommand("tar", ["-C", root, ...excludes, "-cf", `${tarball}.part`, "."]);
  renameSync(`${tarball}.part`, tarball);
  rmSync(root, { recursive: true, force: true });
  return tarball;
}

/** The unpacked files of an npm package, without its dependencies. */
export async function npmPackage(name: string, version: string): Promise<string> {
  const home = join(CACHE, `${name}-${version}`);
  if (existsSync(home)) return home;
  const part = scratchFolder(`${name}-${version}.part`);
  await runCommand("npm", ["pack", "--silent", `${name}@${version}`], { cwd: part });
  await runCommand("tar", ["xzf", `${name}-${version}.tgz`], { cwd: part });
  renameSync(join(part, "package"), home);
  rmSync(part, { recursive: true });
  return home;
}

/** The client's native addon, compiled with the headers of a Node package (about a minute). */
export async function nativeAddon(node: string): Promise<string> {
  const addon = join(CACHE, "rapid-client.node");
  if (existsSync(addon)) return addon;
  await ensureDebianPackages("cmake", ["cmake", "g++", "make", "python3", "xz-utils"]);
  const build = scratchFolder("addon-build");
  const manifest = { private: true, allowScripts: { "aws-lambda-ric": true } };
  writeFileSync(join(build, "package.json"), JSON.stringify(manifest));
  await nice("npm", ["install", "--no-audit", "--no-fund", `aws-lambda-ric@${ADDON_CLIENT}`], {
    cwd: build,
    env: { npm_config_nodedir: node },
  });
  cpSync(join(build, "node_modules/aws-lambda-ric/rapid-client.node"), `${addon}.part`);
  renameSync(`${addon}.part`, addon);
  rmSync(build, { recursive: true, force: true });
  return addon;
}

/** The real emulator, where Go is there and its module is to be had; `undefined`, and said, when not. */
export async function emulator(): Promise<string | undefined> {
  const file = join(CACHE, "bin/aws-lambda-rie");
  if (existsSync(file)) return file;
  const env = { GOBIN: join(CACHE, "bin"), CGO_ENABLED: "0" };
  const go = ["-n", "10", "go", "install", "-ldflags=-s -w", EMULATOR];
  const { exitCode, stderr } = await tryCommand("nice", go, { env });
  if (exitCode === 0) return file;
  console.warn(`The base image has no aws-lambda-rie: ${stderr.trim().split("\n").at(-1)}`);
  return undefined;
}

/** Long builds give way to whatever else the machine does. */
async function nice(
  program: string,
  parameters: readonly string[],
  options?: CommandOptions,
): Promise<void> {
  await runCommand("nice", ["-n", "10", program, ...parameters], options);
}
