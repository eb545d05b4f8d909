/** Without code, and with another copy of the OpenTelemetry API than coldspan's own in the function. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ensureRuntime } from "../runtimes/runtimes.ts";
import { startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import { deploy, type Runtime } from "./support/deployed.ts";

const ROOT = join(import.meta.dirname, "..");
const API = "node_modules/@opentelemetry/api";
const NEWEST: Runtime = { node: 24, ric: 4 };
const HANDLER = `import { trace } from "@opentelemetry/api";
export const handler = async () => {
  trace.getTracer("own").startSpan("own").end();
};
`;

test.each(["1.9.9", "1.10.1", "1.11.0"])(
  "its spans arrive with version %s of the API",
  async (version) => {
    const taskRoot = await createFunction(version);
    const receiver = await startOtlpReceiver();
    onTestFinished(() => receiver.close());
    const running = await deploy(
      NEWEST,
      { path: taskRoot, remove: async () => undefined },
      {
        handler: "app.handler",
        execArgv: ["--import", join(ROOT, "dist/esm/auto.js")],
        env: {
          LAMBDA_RUNTIME_DIR: dirname((await ensureRuntime(NEWEST.ric)).path),
          OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
        },
      },
    );
    onTestFinished(() => running.close());

    await (await running.invoke({})).settled;

    const spans = receiver.spans();
    expect(spans.map(({ name }) => name).toSorted(), running.stderr).toEqual([
      "init",
      "my-function",
      "own",
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  },
);

/** A function whose copy of the API says that it is of this version. */
async function createFunction(version: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "coldspan-api-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  await cp(join(ROOT, API), join(path, API), { recursive: true, dereference: true });
  const { version: real } = JSON.parse(await readFile(join(ROOT, API, "package.json"), "utf8")) as {
    version: string;
  };
  for (const file of ["package.json", "dist/version.mjs", "dist/internal/global-utils.mjs"]) {
    const source = await readFile(join(path, API, file), "utf8");
    await writeFile(join(path, API, file), source.replace(real, version));
  }
  await writeFile(join(path, "app.mjs"), HANDLER);
  await symlink(ROOT, join(path, "node_modules/coldspan"));
  return path;
}
