/** Functions that were bundled into one file, coldspan included, as most that are deployed are. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { describe, expect, onTestFinished, test } from "vitest";
import { startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import { deploy, RUNTIMES } from "./support/deployed.ts";

const SOURCE = `
  import { withTracing } from "coldspan";
  export const handler = withTracing(async () => "done");
`;
/** What bundles of CommonJS packages as ES modules need (AWS CDK's documentation of NodejsFunction). */
const REQUIRE_IN_ESM =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

async function bundleFunction(format: "cjs" | "esm"): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "coldspan-bundled-"));
  onTestFinished(() => rm(path, { recursive: true }));
  await build({
    stdin: { contents: SOURCE, resolveDir: "." },
    alias: { coldspan: resolve("dist/esm/index.js") },
    bundle: true,
    platform: "node",
    format,
    ...(format === "esm" && { banner: { js: REQUIRE_IN_ESM } }),
    tsconfigRaw: {},
    outfile: join(path, "app.js"),
    logLevel: "error",
  });
  const type = format === "esm" ? "module" : "commonjs";
  await writeFile(join(path, "package.json"), JSON.stringify({ type }));
  return path;
}

describe.each(RUNTIMES)("on Node $node with runtime client $ric", (runtime) => {
  test.each(["cjs", "esm"] as const)("a function bundled as %s is traced", async (format) => {
    const receiver = await startOtlpReceiver();
    onTestFinished(() => receiver.close());
    const path = await bundleFunction(format);
    const taskRoot = { path, remove: () => Promise.resolve() };
    const running = await deploy(runtime, taskRoot, {
      handler: "app.handler",
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl },
    });
    onTestFinished(() => running.close());

    const { body } = await running.invoke({});

    expect(body.toString()).toBe('"done"');
    expect(receiver.spans().map(({ name }) => name)).toContain("my-function");
    expect(running.stderr).toBe("");
  });
});
