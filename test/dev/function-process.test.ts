import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { NEWEST, RUNTIMES, runFunction } from "../support/functions.ts";

/** The same function in both module systems; each event picks what it does. */
const BODY = `async (event, context) => {
  if (event.throw) throw new TypeError(event.throw);
  if (event.exit !== undefined) process.exit(event.exit);
  if (event.hang) await new Promise((resolve) => setTimeout(resolve, 60_000));
  if (event.sizeBytes) return "x".repeat(event.sizeBytes);
  if (event.describe) return {
    ...context, env: { ...process.env }, cwd: process.cwd(), remainingMs: context.getRemainingTimeInMillis(),
  };
  return event.answer;
}`;

const STREAM_BODY = `async (event, stream) => {
  const http = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: "b" } });
  http.write("one");
  await new Promise((resolve) => setTimeout(resolve, 30));
  if (event.exit !== undefined) process.exit(event.exit);
  if (event.throw) throw new RangeError(event.throw);
  http.write("two");
  http.end();
}`;

const MODULES = [
  {
    kind: "an ES module",
    files: {
      "app.mjs": `export const handler = ${BODY};
export const stream = awslambda.streamifyResponse(${STREAM_BODY});`,
      "broken.mjs": 'throw new RangeError("at load");',
    },
  },
  {
    kind: "CommonJS",
    files: {
      "app.cjs": `exports.handler = ${BODY};
exports.stream = awslambda.streamifyResponse(${STREAM_BODY});`,
      "broken.cjs": 'throw new RangeError("at load");',
    },
  },
];

/** What JSON makes of it is what the caller gets, byte for byte. */
const ANSWERS = [
  { text: "ünïcode 😀 \u2028 \\ \u0000", nested: [1.5e300, null, true], z: 1, a: {} },
  "text",
  0,
  null,
  [],
];

const MATRIX = RUNTIMES.flatMap((runtime) =>
  MODULES.map((module) => ({ ...runtime, ...module, runtime })),
);

describe.each(MATRIX)("Node $node with runtime client $ric, $kind", ({ runtime, files }) => {
  test("a returned value is posted as its JSON, a throw as an error, and the process goes on", async () => {
    const running = await runFunction(runtime, files, "app.handler");
    for (const answer of ANSWERS) {
      const result = await running.invoke({ answer });
      expect(result.outcome).toBe("response");
      expect(result.contentType).toBe("application/json");
      expect(result.body).toEqual(Buffer.from(JSON.stringify(answer)));
    }
    const failed = await running.invoke({ throw: "bäd" });
    expect(failed).toMatchObject({
      outcome: "error",
      error: { type: "TypeError", message: "bäd" },
    });
    expect(failed.error?.trace[0]).toBe("TypeError: bäd");
    expect(JSON.parse(failed.error?.xrayCause ?? "")).toMatchObject({
      exceptions: [{ type: "TypeError", message: "bäd" }],
    });
    expect((await running.invoke({})).body.toString()).toBe("null");
    expect(running.api.extensions).toEqual([]);
  });

  test("a stream arrives in chunks, its HTTP metadata apart, its error in trailers", async () => {
    const running = await runFunction(runtime, files, "app.stream");
    const result = await running.invoke({});
    expect(result).toMatchObject({
      outcome: "response",
      streamed: true,
      prelude: { statusCode: 201, headers: { a: "b" } },
    });
    expect(result.body.toString()).toBe("onetwo");
    expect(result.chunks.at(-1)?.bytes.toString()).toBe("two");
    const failed = await running.invoke({ throw: "midway" });
    expect(failed).toMatchObject({
      outcome: "error",
      error: { type: "RangeError", message: "midway" },
    });
    expect(failed.body.toString()).toBe("one");
    expect((await running.invoke({})).outcome).toBe("response");
  });

  test("a module that throws fails init, and its error answers the invocation", async () => {
    const running = await runFunction(runtime, files, "broken.handler");
    const result = await running.invoke({});
    expect(result).toMatchObject({
      outcome: "error",
      error: { message: expect.stringContaining("at load") },
    });
    expect(await running.api.initialized).toMatchObject({ kind: "error" });
    expect((await running.exited).code).not.toBe(0);
  });

  test("a handler that is not exported fails init", async () => {
    const running = await runFunction(runtime, files, "app.nothing");
    expect((await running.invoke({})).error?.type).toBe("Runtime.HandlerNotFound");
  });
});

test("a callback answers under runtime client 3 and is refused by 4", async () => {
  const files = { "app.js": "exports.handler = (event, context, callback) => callback(null, 1);" };
  const old = await runFunction({ node: 22, ric: 3 }, files, "app.handler");
  expect((await old.invoke({})).body.toString()).toBe("1");
  const current = await runFunction(NEWEST, files, "app.handler");
  expect((await current.invoke({})).error?.type).toBe("Runtime.CallbackHandlerDeprecated");
});

test("Node 22 cannot require an ES module, as in Lambda", async () => {
  const files = {
    "app.cjs": "exports.handler = async () => require('./dependency.mjs').value;",
    "dependency.mjs": "export const value = 1;",
  };
  const lambda22 = await runFunction({ node: 22, ric: 3 }, files, "app.handler");
  expect((await lambda22.invoke({})).outcome).toBe("error");
  const lambda24 = await runFunction(NEWEST, files, "app.handler");
  expect((await lambda24.invoke({})).body.toString()).toBe("1");
});

test("the function gets the platform's context and variables, and nothing of this process", async () => {
  const files = { "app.mjs": `export const handler = ${BODY};` };
  const running = await runFunction(NEWEST, files, "app.handler", {
    functionName: "orders",
    functionVersion: "7",
    memoryMb: 256,
    env: { MINE: "1", AWS_EXECUTION_ENV: "AWS_Lambda_Image" },
  });
  const result = await running.invoke(
    { describe: true },
    { traceId: "Root=1-a-b;Sampled=1", tenantId: "t", clientContext: { a: 1 }, timeoutMs: 5000 },
  );
  const seen = JSON.parse(result.body.toString());
  expect(seen).toMatchObject({
    awsRequestId: result.requestId,
    functionName: "orders",
    functionVersion: "7",
    invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:orders",
    logGroupName: "/aws/lambda/orders",
    memoryLimitInMB: "256",
    tenantId: "t",
    xRayTraceId: "Root=1-a-b;Sampled=1",
    clientContext: { a: 1 },
    cwd: seen.env.LAMBDA_TASK_ROOT,
  });
  expect(seen.remainingMs).toBeLessThanOrEqual(5000);
  expect(seen.env).toMatchObject({
    MINE: "1",
    _HANDLER: "app.handler",
    _X_AMZN_TRACE_ID: "Root=1-a-b;Sampled=1",
    AWS_EXECUTION_ENV: "AWS_Lambda_Image",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_REGION: "us-east-1",
  });
  expect(seen.env).not.toHaveProperty("VITEST");
  expect(seen.env).not.toHaveProperty("AWS_LAMBDA_MAX_CONCURRENCY");
});

test("a response of Lambda's full 6 MB arrives whole", async () => {
  const running = await runFunction(
    NEWEST,
    { "app.mjs": `export const handler = ${BODY};` },
    "app.handler",
  );
  const sizeBytes = 6 * 1024 * 1024 - 2;
  const result = await running.invoke({ sizeBytes });
  expect(result.body.equals(Buffer.from(`"${"x".repeat(sizeBytes)}"`))).toBe(true);
});

test("a process that exits in an invocation answers it as Lambda does", async () => {
  const files = { "app.mjs": `export const handler = ${BODY};` };
  const running = await runFunction(NEWEST, files, "app.handler");
  const result = await running.invoke({ exit: 3 });
  expect(result).toMatchObject({
    outcome: "exit",
    error: { type: "Runtime.ExitError", message: expect.stringContaining("exit status 3") },
  });
  expect(await result.settled).toMatchObject({ kind: "ended" });
  expect(await running.exited).toEqual({ code: 3, signal: null });
});

test("a process that exits in the middle of a stream leaves an error and what had arrived", async () => {
  const files = { "app.mjs": `export const stream = awslambda.streamifyResponse(${STREAM_BODY});` };
  const running = await runFunction(NEWEST, files, "app.stream");
  const result = await running.invoke({ exit: 0 });
  expect(result).toMatchObject({
    outcome: "error",
    error: { type: "Runtime.TruncatedResponse" },
  });
  expect(Buffer.concat(result.chunks.map(({ bytes }) => bytes)).toString()).toContain("one");
  expect(await result.settled).toMatchObject({ kind: "ended" });
});

test("an invocation that outlives its timeout ends the process", async () => {
  const files = { "app.mjs": `export const handler = ${BODY};` };
  const running = await runFunction(NEWEST, files, "app.handler");
  await running.invoke({});
  const result = await running.invoke({ hang: true }, { timeoutMs: 100 });
  expect(result.outcome).toBe("timeout");
  expect(await running.exited).toEqual({ code: null, signal: "SIGKILL" });
});

test("Managed Instances: invocations overlap within a process, without X-Ray's variable", async () => {
  const overlapping = 4;
  const waiting: ServerResponse[] = [];
  const barrier = createServer((_request, response) => {
    waiting.push(response);
    if (waiting.length === overlapping) for (const each of waiting) each.end();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void barrier.close());
  const files = {
    "app.mjs": `import { threadId } from "node:worker_threads";
export const handler = async (event, context) => {
  await fetch(event.barrier);
  return { threadId, traceId: context.xRayTraceId, env: process.env._X_AMZN_TRACE_ID ?? null };
};`,
  };
  const running = await runFunction(NEWEST, files, "app.handler", {
    maxConcurrency: 10,
    env: { AWS_LAMBDA_NODEJS_WORKER_COUNT: "2" },
  });
  const event = { barrier: `http://127.0.0.1:${(barrier.address() as AddressInfo).port}` };
  const results = await Promise.all(
    Array.from({ length: overlapping }, (_, n) => running.invoke(event, { traceId: `Root=${n}` })),
  );
  const seen = results.map((result) => JSON.parse(result.body.toString()));
  expect(seen.map(({ traceId }) => traceId)).toEqual(["Root=0", "Root=1", "Root=2", "Root=3"]);
  for (const { threadId, env } of seen) {
    expect(threadId).toBeGreaterThan(0);
    expect(env).toBeNull();
  }
});

test("a Node binary that is not there rejects the start", async () => {
  await expect(
    runFunction(NEWEST, {}, "app.handler", { node: { path: "/no/such/node", major: 24 } }),
  ).rejects.toThrow("ENOENT");
});
