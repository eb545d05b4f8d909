/** The deployment guide's CDK text, synthesized as `cdk synth` does: by running it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { installLocked } from "../../runtimes/cache.ts";
import { codeBlocks } from "../../test/support/guide.ts";
import { runCommand } from "./command.ts";

const EXAMPLE = resolve("examples/sqs-orders");
/** The CDK is 190 MB on disk, and its declarations take seconds to read. */
const INSTALL_TIMEOUT_MS = 240_000;
const TEST_TIMEOUT_MS = 120_000;

interface DockerImage {
  readonly source: { readonly directory: string };
}

let packages = "";
beforeAll(async () => {
  packages = await installLocked(new URL("cdk", import.meta.url).href);
}, INSTALL_TIMEOUT_MS);

/** The guide's program in a folder where its packages are found. */
function writeProgram(): string {
  const folder = mkdtempSync(join(packages, "guide-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "app.ts"), codeBlocks("typescript")[0]);
  return folder;
}

test(
  "makes a function of the example's image, fed by a queue that takes failed records back",
  async () => {
    const folder = writeProgram();
    const output = join(folder, "cdk.out");
    mkdirSync(output);
    await runCommand(process.execPath, [join(folder, "app.ts")], { env: { CDK_OUTDIR: output } });
    const read = (name: string) => JSON.parse(readFileSync(join(output, name), "utf8"));
    const resources = Object.values<{ Type: string; Properties: object }>(
      read("Orders.template.json").Resources,
    );
    const propertiesOf = (type: string) =>
      resources.filter(({ Type }) => Type === type).map(({ Properties }) => Properties);
    expect(propertiesOf("AWS::Lambda::Function")).toMatchObject([
      { PackageType: "Image", Architectures: ["x86_64"], MemorySize: 512, Timeout: 30 },
    ]);
    expect(propertiesOf("AWS::Lambda::EventSourceMapping")).toMatchObject([
      { FunctionResponseTypes: ["ReportBatchItemFailures"] },
    ]);
    const images = Object.values<DockerImage>(read("Orders.assets.json").dockerImages);
    expect(images).toMatchObject([{ source: { platform: "linux/amd64" } }]);
    const [{ source } = { source: { directory: "" } }] = images;
    expect(readFileSync(join(output, source.directory, "Dockerfile"), "utf8")).toBe(
      readFileSync(join(EXAMPLE, "Dockerfile"), "utf8"),
    );
  },
  TEST_TIMEOUT_MS,
);

test(
  "compiles",
  async () => {
    const folder = writeProgram();
    const compilerOptions = { module: "nodenext", noEmit: true, skipLibCheck: true, strict: true };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    await runCommand("tsc", ["-p", folder]);
  },
  TEST_TIMEOUT_MS,
);
