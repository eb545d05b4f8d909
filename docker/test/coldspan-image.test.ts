/** A function in coldspan's image is traced, and otherwise what it is in the plain one. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../../src/dev/received-span.ts";
import { connectEngine } from "./engine.ts";
import { filesRead, underTrace } from "./files-read.ts";
import { functionImages } from "./function-image.ts";
import { runImageFunction } from "./image-function.ts";
import { addedBytes } from "./image-size.ts";

const MAX_ADDED_BYTES = 3_000_000;
const MAX_FILES_READ = 25;

const engine = connectEngine(inject("dockerHost"));
const built = functionImages(engine);
let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
});
afterAll(async () => {
  await receiver.close();
  await built.remove();
});

const files = {
  "esm.mjs": "export const handler = async (event) => ({ event });",
  "cjs.js": "exports.handler = async (event) => ({ event });",
  "wrapped.mjs": `import { trace } from "@opentelemetry/api";
import { withTracing } from "coldspan";
export const handler = withTracing(async (event) =>
  trace.getTracer("own").startActiveSpan("work", (span) => { span.end(); return { event }; }));`,
  "wrapped-cjs.js": `const { trace } = require("@opentelemetry/api");
const { withTracing } = require("coldspan");
exports.handler = withTracing(async (event) =>
  trace.getTracer("own").startActiveSpan("work", (span) => { span.end(); return { event }; }));`,
  "stream.mjs": `export const handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType("application/json");
  stream.write('{"event":');
  stream.end(JSON.stringify(event) + "}");
});`,
  "processes.mjs": `import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
const probe = 'JSON.stringify({ seam: Symbol.for("coldspan.seam.v1") in globalThis, options: process.env.NODE_OPTIONS ?? "" })';
export const handler = async () => {
  const child = JSON.parse(execFileSync(process.execPath, ["-p", probe], { encoding: "utf8" }));
  const source = 'require("node:worker_threads").parentPort.postMessage(' + probe + ')';
  const [message] = await once(new Worker(source, { eval: true }), "message");
  return { child, worker: JSON.parse(message), options: process.env.NODE_OPTIONS ?? "" };
};`,
  "node_modules/coldspan/package.json": JSON.stringify({
    name: "coldspan",
    version: "0.0.1",
    exports: { ".": "./index.js", "./package.json": "./package.json" },
  }),
  "node_modules/coldspan/index.js": readFileSync("dist/cjs/index.js", "utf8"),
  "installed.js": `const { withTracing } = require("coldspan");
const { version } = require("coldspan/package.json");
const own = require.resolve("coldspan").replace(/.coldspan.index.js$/, "");
exports.handler = withTracing(async () => ({ version, own }));`,
  "wrapper.sh": `#!/bin/sh
export FROM_WRAPPER=yes
exec "$@"`,
  "option.cjs": "globalThis.fromOption = true;",
  "surroundings.mjs":
    "export const handler = async () => [process.env.FROM_WRAPPER, globalThis.fromOption];",
  "throws.mjs": "export const url = new URL('not a url');",
  "syntax.js": "exports.handler = async () => {",
  "missing-package.mjs": "import 'not-installed'; export const handler = async () => 1;",
};

function answerOf(result: { readonly body: Buffer }): unknown {
  return JSON.parse(result.body.toString());
}

describe.each(inject("images"))("Node $major", ({ major, base, coldspan }) => {
  const start = async (handler: string, env: Record<string, string> = {}, image = coldspan) =>
    runImageFunction(engine, {
      image: await built.build({
        base: image,
        files,
        handler,
        dockerfile: ["RUN chmod 755 wrapper.sh"],
      }),
      functionName: `${handler}-${major}`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl, ...env },
    });
  const spansOf = async (handler: string, count: number) => {
    const isMine = (span: ReceivedSpan): boolean =>
      span.resource["faas.name"] === `${handler}-${major}`;
    const spans = await receiver.waitForSpans((all) => all.filter(isMine).length >= count);
    return spans.filter(isMine);
  };

  test.each(["esm.handler", "cjs.handler", "stream.handler"])(
    "%s is traced without code",
    async (handler) => {
      const { api } = await start(handler);
      const result = await api.invoke({ n: 1 });
      expect(answerOf(result)).toEqual({ event: { n: 1 } });
      expect(result.streamed).toBe(handler === "stream.handler");
      const spans = await spansOf(handler, 2);
      expect(spans.map(({ name }) => name).sort()).toEqual([`${handler}-${major}`, "init"].sort());
    },
  );

  test.each(["wrapped.handler", "wrapped-cjs.handler"])(
    "%s, wrapped by hand with the image's copy, is traced once",
    async (handler) => {
      const { api } = await start(handler);
      expect(answerOf(await api.invoke({ n: 1 }))).toEqual({ event: { n: 1 } });
      const names = (await spansOf(handler, 3)).map(({ name }) => name);
      expect(names.sort()).toEqual([`${handler}-${major}`, "init", "work"].sort());
    },
  );

  test.each(["esm.handler", "wrapped.handler"])(
    "%s disabled runs as in the plain image",
    async (handler) => {
      const { api } = await start(handler, { OTEL_SDK_DISABLED: "TRUE" });
      const before = receiver.requests().length;
      expect(answerOf(await api.invoke({ n: 1 }))).toEqual({ event: { n: 1 } });
      expect(receiver.requests()).toHaveLength(before);
    },
  );

  test("an installed copy of another version meets the image's in one SDK and one span", async () => {
    const handler = "installed.handler";
    const { api } = await start(handler);
    expect(answerOf(await api.invoke({}))).toEqual({
      version: "0.0.1",
      own: "/var/task/node_modules",
    });
    const names = (await spansOf(handler, 2)).map(({ name }) => name);
    await api.invoke({});
    expect(names.sort()).toEqual([`${handler}-${major}`, "init"].sort());
    expect(await spansOf(handler, 3)).toHaveLength(3);
  });

  test("child processes and worker threads are left alone", async () => {
    const { api } = await start("processes.handler", { NODE_OPTIONS: "--no-deprecation" });
    expect(answerOf(await api.invoke({}))).toEqual({
      child: { seam: false, options: "--no-deprecation" },
      worker: { seam: false, options: "--no-deprecation" },
      options: "--no-deprecation",
    });
    await spansOf("processes.handler", 2);
  });

  test("the user's own exec wrapper and NODE_OPTIONS work beside", async () => {
    const { api } = await start("surroundings.handler", {
      AWS_LAMBDA_EXEC_WRAPPER: "/var/task/wrapper.sh",
      NODE_OPTIONS: "--require=/var/task/option.cjs",
    });
    expect(answerOf(await api.invoke({}))).toEqual(["yes", true]);
    await spansOf("surroundings.handler", 2);
  });

  test.each([
    "throws.handler",
    "syntax.handler",
    "missing-package.handler",
    "nowhere.handler",
    "esm.nothing",
    "esm",
    "../esm.handler",
  ])("%s fails as in the plain image", async (handler) => {
    const [plain, traced] = await Promise.all([start(handler, {}, base), start(handler)]);
    const [expected, outcome] = await Promise.all([plain.api.initialized, traced.api.initialized]);
    expect(expected.kind).toBe("error");
    expect({ ...outcome, timeMs: 0 }).toEqual({ ...expected, timeMs: 0 });
    expect(await traced.container.exitCode()).toBe(await plain.container.exitCode());
  });

  test("the image adds little, and no file but its own", async () => {
    const added = await addedBytes(engine, base, coldspan);
    const history = await engine.docker("history", "--format={{.Size}}\t{{.CreatedBy}}", coldspan);
    console.log(`Node ${major}: ${(added / 1e6).toFixed(2)} MB compressed\n${history}`);
    expect(added).toBeLessThan(MAX_ADDED_BYTES);
    expect(added).toBeGreaterThan(100_000);
  });

  test("few files are read while a function starts", async () => {
    const handler = "esm.handler";
    const image = await built.build({
      base: coldspan,
      files,
      handler,
      dockerfile: ["RUN chmod 755 wrapper.sh"],
    });
    const entrypoint = ["/opt/coldspan/coldspan-wrapper", "/lambda-entrypoint.sh"];
    const { api, container } = await runImageFunction(engine, {
      ...underTrace({ image, command: [handler] }, entrypoint),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl },
    });
    await api.initialized;
    const read = filesRead((await container.logs()).stderr);
    const own = read.filter((file) => file.startsWith("/opt/coldspan/"));
    console.log(`Node ${major}: ${read.length} files read, of coldspan:\n${own.join("\n")}`);
    expect(own).toContain("/opt/coldspan/coldspan.cjs");
    expect(own.length).toBeLessThanOrEqual(MAX_FILES_READ);
  });
});
