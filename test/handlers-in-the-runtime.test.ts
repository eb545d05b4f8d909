import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTaskRoot, type TaskRoot } from "../runtimes/task-root.ts";
import type { InvocationResult } from "../src/dev/invocation.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../src/dev/received-span.ts";
import httpEvent from "./fixtures/events/api-gateway-v2.json" with { type: "json" };
import { deploy, type Runtime } from "./support/deployed.ts";

const NODE_24: Runtime = { node: 24, ric: 4 };
const NODE_22: Runtime = { node: 22, ric: 3 };

let receiver: OtlpReceiver;
let taskRoot: TaskRoot;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  taskRoot = await createTaskRoot("test/fixtures/functions/handlers.ts", "esm");
});

afterAll(async () => {
  await receiver.close();
  await taskRoot.remove();
});

interface Outcome {
  readonly answer: unknown;
  readonly spans: readonly ReceivedSpan[];
}

/** Runs a handler once, bare or traced, and reads what the caller and the receiver got. */
async function run(runtime: Runtime, kind: string, name: string, event: unknown): Promise<Outcome> {
  const own = kind.startsWith("traced") ? await startOtlpReceiver() : undefined;
  const started = await deploy(runtime, taskRoot, {
    handler: `app.${kind}.${name}`,
    env:
      own === undefined
        ? { OTEL_SDK_DISABLED: "true" }
        : { OTEL_EXPORTER_OTLP_ENDPOINT: own.grpcUrl },
  });
  try {
    const result = await started.invoke(event);
    const spans = own === undefined ? [] : await own.waitForSpans(2);
    return { answer: readAnswer(result), spans };
  } finally {
    await started.close();
    await own?.close();
  }
}

function readAnswer(result: InvocationResult): unknown {
  return {
    outcome: result.outcome,
    contentType: result.contentType,
    prelude: result.prelude,
    // Stacks name the wrapper's frames; type and message are the function's.
    body:
      result.outcome === "error"
        ? { type: result.error?.type, message: result.error?.message }
        : result.body.toString(),
    streamed: result.streamed,
    trailerType: result.trailers["lambda-runtime-function-error-type"],
  };
}

interface Case {
  readonly runtime: Runtime;
  readonly handler: string;
  readonly event?: unknown;
  readonly errorType?: string;
  readonly attributes?: Record<string, unknown>;
}

const CASES: readonly Case[] = [
  ...[NODE_24, NODE_22].flatMap((runtime): Case[] => [
    { runtime, handler: "asynchronous.echo", event: { a: [1, "é", null] } },
    { runtime, handler: "asynchronous.echo", event: null },
    { runtime, handler: "asynchronous.echo", event: "text" },
    { runtime, handler: "asynchronous.nothing" },
    { runtime, handler: "asynchronous.boundMethod" },
    { runtime, handler: "asynchronous.promiseLike" },
    { runtime, handler: "asynchronous.rejectsWithText", errorType: "string" },
    { runtime, handler: "asynchronous.rejectsWithUndefined", errorType: "undefined" },
    { runtime, handler: "asynchronous.rejectsFrozen", errorType: "RangeError" },
    { runtime, handler: "asynchronous.unserialisable" },
    {
      runtime,
      handler: "asynchronous.http",
      event: httpEvent,
      errorType: "503",
      attributes: { "http.response.status_code": 503 },
    },
    { runtime, handler: "synchronous.value" },
    { runtime, handler: "synchronous.throws", errorType: "TypeError" },
    {
      runtime,
      handler: "streaming.plain",
      event: httpEvent,
      attributes: { "http.response.status_code": 200 },
    },
    {
      runtime,
      handler: "streaming.withPrelude",
      event: httpEvent,
      errorType: "503",
      attributes: { "http.response.status_code": 503 },
    },
    { runtime, handler: "streaming.markedLater", event: httpEvent },
    { runtime, handler: "streaming.endsLater", event: httpEvent },
    { runtime, handler: "streaming.rejects", errorType: "Error" },
  ]),
  { runtime: NODE_22, handler: "callbacks.result" },
  { runtime: NODE_22, handler: "callbacks.error", errorType: "Error" },
  { runtime: NODE_22, handler: "callbacks.twice" },
  { runtime: NODE_22, handler: "callbacks.withoutWaiting" },
  { runtime: NODE_22, handler: "callbacks.never" },
  { runtime: NODE_22, handler: "callbacks.succeed" },
  { runtime: NODE_22, handler: "callbacks.fail", errorType: "Error" },
  { runtime: NODE_22, handler: "callbacks.done" },
];

describe("a handler in the real runtime", () => {
  it.for(CASES)(
    "$handler on Node $runtime.node answers as if bare, with one invocation span",
    async ({ runtime, handler, event = {}, errorType, attributes = {} }, { expect }) => {
      const [bare, traced] = await Promise.all([
        run(runtime, "bare", handler, event),
        run(runtime, "traced", handler, event),
      ]);
      expect(traced.answer).toEqual(bare.answer);
      expect(traced.spans.map(({ kind }) => kind).sort()).toEqual(["INTERNAL", "SERVER"]);
      const [invocation] = traced.spans.filter(({ kind }) => kind === "SERVER");
      expect(invocation?.status.code).toBe(errorType === undefined ? "UNSET" : "ERROR");
      expect(invocation?.attributes["error.type"]).toBe(errorType);
      expect(invocation?.attributes).toMatchObject(attributes);
    },
  );

  it("a callback handler on Node 24 fails at init as it does bare", async () => {
    const init = async (kind: string) => {
      const started = await deploy(NODE_24, taskRoot, { handler: `app.${kind}.callbacks.result` });
      try {
        await started.api.initialized;
        return { type: started.api.initError?.type, message: started.api.initError?.message };
      } finally {
        await started.close();
      }
    };
    expect(await init("traced")).toEqual(await init("bare"));
    expect((await init("traced")).type).toBe("Runtime.CallbackHandlerDeprecated");
  });
});
