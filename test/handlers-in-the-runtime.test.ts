import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTaskRoot, type TaskRoot } from "../runtimes/task-root.ts";
import type { InvocationResult } from "../src/dev/invocation.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../src/dev/received-span.ts";
import type { FunctionProcess } from "../src/dev/running-function.ts";
import httpEvent from "./fixtures/events/api-gateway-v2.json" with { type: "json" };
import { deploy, type Runtime } from "./support/deployed.ts";

const NODE_24: Runtime = { node: 24, ric: 4 };
const NODE_22: Runtime = { node: 22, ric: 3 };

/** One of every style is the function's own handler, in a process of its own; the others share one. */
const ALONE = new Set(["asynchronous.boundMethod", "streaming.markedLater", "callbacks.result"]);

type Kind = "bare" | "traced";

interface Deployed {
  readonly running: FunctionProcess;
  /** Of the traced. */
  readonly receiver: OtlpReceiver | undefined;
}

let taskRoot: TaskRoot;
const shared = new Map<string, Promise<Deployed>>();

beforeAll(async () => {
  taskRoot = await createTaskRoot("test/fixtures/functions/handlers.ts", "esm");
});

afterAll(async () => {
  for (const deployed of shared.values()) await close(await deployed);
  await taskRoot.remove();
});

async function start(runtime: Runtime, kind: Kind, handler: string): Promise<Deployed> {
  const receiver = kind === "traced" ? await startOtlpReceiver() : undefined;
  const env: Record<string, string> =
    receiver === undefined
      ? { OTEL_SDK_DISABLED: "true" }
      : { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl };
  return { running: await deploy(runtime, taskRoot, { handler, env }), receiver };
}

async function close({ running, receiver }: Deployed): Promise<void> {
  await running.close();
  await receiver?.close();
}

interface Outcome {
  readonly answer: unknown;
  readonly spans: readonly ReceivedSpan[];
}

/** Invokes a handler and reads what the caller and the receiver got: the init span, too, when it is the first. */
async function invoke(
  { running, receiver }: Deployed,
  handler: string,
  event: unknown,
  spans: number,
): Promise<Outcome> {
  receiver?.clear();
  const result = await running.invoke(event, { clientContext: { custom: { handler } } });
  return {
    answer: readAnswer(result),
    spans: receiver === undefined ? [] : await receiver.waitForSpans(spans),
  };
}

async function runAlone(
  runtime: Runtime,
  kind: Kind,
  handler: string,
  event: unknown,
): Promise<Outcome> {
  const deployed = await start(runtime, kind, `app.${kind}.${handler}`);
  try {
    return await invoke(deployed, handler, event, 2);
  } finally {
    await close(deployed);
  }
}

/** A warm function that runs any handler of a style. */
function sharedFunction(runtime: Runtime, kind: Kind, handler: string): Promise<Deployed> {
  const group = handler.slice(0, handler.indexOf("."));
  const style = group === "streaming" || group === "callbacks" ? group : "buffered";
  const key = `${runtime.node} ${kind} ${style}`;
  const known = shared.get(key);
  if (known !== undefined) return known;
  const started = start(runtime, kind, `app.any.${kind}.${style}`).then(async (deployed) => {
    await invoke(deployed, handler, {}, 2);
    return deployed;
  });
  shared.set(key, started);
  return started;
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
      const isAlone = ALONE.has(handler);
      const run = async (kind: Kind) =>
        isAlone
          ? runAlone(runtime, kind, handler, event)
          : invoke(await sharedFunction(runtime, kind, handler), handler, event, 1);
      const [bare, traced] = await Promise.all([run("bare"), run("traced")]);
      expect(traced.answer).toEqual(bare.answer);
      const kinds = isAlone ? ["INTERNAL", "SERVER"] : ["SERVER"];
      expect(traced.spans.map(({ kind }) => kind).sort()).toEqual(kinds);
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
    const [bare, traced] = await Promise.all([init("bare"), init("traced")]);
    expect(traced).toEqual(bare);
    expect(traced.type).toBe("Runtime.CallbackHandlerDeprecated");
  });
});
