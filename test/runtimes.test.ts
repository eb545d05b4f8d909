import { describe, expect, test } from "vitest";
import { type Addon, availableAddons } from "../runtimes/runtimes.ts";
import { RUNTIMES, type Runtime, runFunction, writeTaskRoot } from "./support/functions.ts";

const FILES = {
  "app.mjs": `export const handler = async (event, context) => {
  if (event.throw) {
    const error = new TypeError("bäd \\u2028 \\u0080");
    error.stack = "TypeError: bäd\\n    at ünïcode (/var/task/app.mjs:1:2)";
    throw error;
  }
  return { event, context };
};
export const stream = awslambda.streamifyResponse(async (event, stream) => {
  awslambda.HttpResponseStream.from(stream, { statusCode: 200 }).end("body");
});`,
};

/** Everything that reaches a function through the addon, with fixed values. */
const CALL = {
  requestId: "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
  traceId: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
  deadlineMs: 4_102_444_800_000,
  tenantId: "tenant",
  clientContext: { ключ: "значение" },
  cognitoIdentity: { cognitoIdentityId: "id", cognitoIdentityPoolId: "pool" },
};

async function answers(runtime: Runtime, addon: Addon, taskRoot: string) {
  const options = { addon, taskRoot, env: { AWS_LAMBDA_LOG_STREAM_NAME: "stream" } };
  const buffered = await runFunction(runtime, {}, "app.handler", options);
  const streamed = await runFunction(runtime, {}, "app.stream", options);
  const event = { text: "ünïcode 😀 \u2028 \u0000", number: 1e21 };
  return [
    await buffered.invoke(event, CALL),
    await buffered.invoke(Buffer.from('{"é" :\t[1,  2]}'), { ...CALL, traceId: "" }),
    await buffered.invoke({ throw: true }, CALL),
    await streamed.invoke({}, CALL),
  ];
}

describe.each(RUNTIMES)("Node $node with runtime client $ric", (runtime) => {
  test("every addon there is gives the same bytes, headers and errors", async () => {
    const taskRoot = await writeTaskRoot(FILES);
    const addons = await availableAddons(runtime.ric);
    const [[first, second, failed, streamed] = [], ...others] = await Promise.all(
      addons.map((addon) => answers(runtime, addon, taskRoot)),
    );
    expect(first?.body.toString()).toContain('"event":{"text":"ünïcode 😀 \u2028 \\u0000"');
    expect(first?.body.toString()).toContain('"clientContext":{"ключ":"значение"}');
    expect(second?.body.toString()).toContain('"event":{"é":[1,2]}');
    expect(failed?.error).toMatchObject({ type: "TypeError", message: "bäd \u2028 \u0080" });
    expect(failed?.error?.xrayCause).toContain('"label":"ünïcode"');
    expect(streamed?.body.toString()).toBe("body");
    for (const other of others) {
      for (const [index, result] of [first, second, failed, streamed].entries()) {
        expect(other[index]?.rawBody).toEqual(result?.rawBody);
        expect(other[index]?.contentType).toBe(result?.contentType);
        expect(other[index]?.error).toEqual(result?.error);
      }
    }
  });
});

test("an error that is posted right before process.exit arrives with every addon", async () => {
  const files = {
    "app.js": `exports.handler = () => {
  setImmediate(() => { throw new RangeError("out of band"); });
  return new Promise(() => {});
};`,
  };
  for (const addon of await availableAddons(3)) {
    const running = await runFunction({ node: 22, ric: 3 }, files, "app.handler", { addon });
    const result = await running.invoke({});
    expect(result.error).toMatchObject({ type: "RangeError", message: "out of band" });
    expect((await running.exited).code).toBe(129);
  }
});
