/** Every source in the real runtime: the exported spans, in full and in both dialects, are what the golden file says. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { createTaskRoot, type TaskRoot } from "../runtimes/task-root.ts";
import type { InvocationResult } from "../src/dev/invocation.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../src/dev/received-span.ts";
import type { FunctionProcess } from "../src/dev/running-function.ts";
import { deploy, type Runtime } from "./support/deployed.ts";
import { fixture } from "./support/events.ts";
import { goldenNames, normalise, readGolden, rewriteGolden } from "./support/golden-spans.ts";
import { deep } from "./support/hostile-events.ts";
import { candidates, expectedSource, RECORDED, readRecorded } from "./support/recorded-events.ts";
import { ROWS, type Row } from "./support/source-rows.ts";

const ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders-function:live";
const REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

/** One per way of reaching the wrapper; the sources themselves do not know the runtime. */
const ON_NODE_22 = [
  "api-gateway-v1",
  "api-gateway-v1-throws",
  "direct-null",
  "direct-with-context",
  "kafka-partial",
  "sqs-partial",
  "sqs-two-queues",
];

const MEGABYTE = "x".repeat(1_048_576);
const QUEUE = { eventSource: "aws:sqs", eventSourceARN: "arn:aws:sqs:us-east-1:1:orders" };

const request = (headers: object) => ({ ...(fixture("api-gateway-v2") as object), headers });

const HOSTILE: readonly (readonly [string, unknown])[] = [
  ["baggage of 1 MB", request({ baggage: `a=${MEGABYTE}`, traceparent: "00-1-2-3" })],
  ["baggage of 300,000 entries", request({ baggage: "a=b,".repeat(300_000) })],
  ["traceparent", request({ traceparent: "ff-0-0-0,00", "X-Amzn-Trace-Id": "Root=;;=;Parent" })],
  ["name", request(JSON.parse('{"__proto__":{"traceparent":"x"},"constructor":1,"toString":2}'))],
  ["message of 1 MB", { Records: [{ ...QUEUE, body: `{"TopicArn":"${MEGABYTE}` }] }],
  ["record", { Records: [{ ...QUEUE, messageAttributes: [], attributes: "none" }, null, 7, []] }],
  ["batch of 10,000 nothings", { Records: [QUEUE, ...Array(9_999).fill(null)] }],
  [
    "depth",
    { Records: [{ ...QUEUE, body: JSON.stringify(deep(1_000)), attributes: deep(1_000) }] },
  ],
  ["crowd of keys", Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`k${n}`, n]))],
];

interface Deployed {
  readonly receiver: OtlpReceiver;
  readonly running: FunctionProcess;
}

let taskRoot: TaskRoot;
const open: Deployed[] = [];

beforeAll(async () => {
  taskRoot = await createTaskRoot("test/fixtures/functions/sources.ts", "esm");
});

afterAll(async () => {
  for (const { receiver, running } of open) {
    await running.close();
    await receiver.close();
  }
  await taskRoot.remove();
});

/** A warm function with a receiver of its own. */
async function start(runtime: Runtime, env: Record<string, string> = {}): Promise<Deployed> {
  const receiver = await startOtlpReceiver();
  const running = await deploy(runtime, taskRoot, {
    handler: "app.traced",
    functionName: "orders-function",
    functionVersion: "7",
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
      // A slow machine must not turn a flush into a late one.
      COLDSPAN_FLUSH_TIMEOUT_MS: "20000",
      ...env,
    },
  });
  const deployed = { receiver, running };
  open.push(deployed);
  await invoke(deployed, { name: "warm up", event: {} });
  return deployed;
}

interface Outcome {
  readonly result: InvocationResult;
  readonly spans: readonly ReceivedSpan[];
}

/** Before-return flush: when the answer is there, so are all spans. */
async function invoke({ receiver, running }: Deployed, row: Row): Promise<Outcome> {
  receiver.clear();
  const result = await running.invoke(row.event, {
    requestId: REQUEST_ID,
    functionArn: ARN,
    ...(row.custom && { clientContext: { custom: row.custom } }),
    ...(row.tenantId && { tenantId: row.tenantId }),
  });
  return { result, spans: receiver.spans() };
}

function expectHandlerToGet(event: unknown, result: InvocationResult): void {
  const { body } = JSON.parse(result.body.toString()) as { body: string };
  expect(body).toBe(JSON.stringify(event));
}

describe("every source and variant", () => {
  let dialects: Readonly<Record<"1.44" | "1.45", Deployed>>;

  beforeAll(async () => {
    const [older, newer] = await Promise.all([
      start({ node: 24, ric: 4 }),
      start({ node: 24, ric: 4 }, { OTEL_SEMCONV_STABILITY_OPT_IN: "messaging" }),
    ]);
    dialects = { "1.44": older, "1.45": newer };
  });

  it.each(ROWS)("$name", async (row) => {
    const [older, newer] = await Promise.all([
      invoke(dialects["1.44"], row),
      invoke(dialects["1.45"], row),
    ]);
    if (row.custom === undefined) expectHandlerToGet(row.event, older.result);
    expectSoundTimes(older.spans);
    const actual = { "1.44": normalise(older.spans), "1.45": normalise(newer.spans) };
    rewriteGolden(row.name, actual);
    expect(actual).toEqual(readGolden(row.name));
    expect(new Set(older.spans.map(({ scope }) => scope))).toEqual(
      new Set([{ name: "coldspan", version: manifest.version, attributes: {} }]),
    );
  });

  it.each(HOSTILE)("a hostile %s reaches the handler as it is", async (_, event) => {
    const { result, spans } = await invoke(dialects["1.44"], { name: "hostile", event });
    expectHandlerToGet(event, result);
    expect(spans.filter(({ kind }) => kind === "SERVER")).toHaveLength(1);
    expect(dialects["1.44"].running.stderr).toBe("");
  });

  it("has a golden file, and no file is left over", () => {
    expect(goldenNames()).toEqual(ROWS.map(({ name }) => name).sort());
  });
});

describe("Node 22 with runtime client 3", () => {
  it("exports the same spans", async () => {
    const deployed = await start({ node: 22, ric: 3 });
    for (const row of ROWS.filter(({ name }) => ON_NODE_22.includes(name))) {
      const { result, spans } = await invoke(deployed, row);
      if (row.custom === undefined) expectHandlerToGet(row.event, result);
      expect({ [row.name]: normalise(spans) }).toEqual({
        [row.name]: readGolden(row.name)["1.44"],
      });
    }
  });
});

if (RECORDED.length > 0) {
  describe("recorded events", () => {
    let deployed: Deployed;

    beforeAll(async () => {
      deployed = await start({ node: 24, ric: 4 });
    });

    it.each(RECORDED)("%s is recognised, and reaches the handler as it is", async (file) => {
      const found: unknown[] = [];
      for (const event of candidates(readRecorded(file))) {
        const { result, spans } = await invoke(deployed, { name: file, event });
        expectHandlerToGet(event, result);
        const [invocation] = spans.filter(({ kind }) => kind === "SERVER");
        found.push(invocation?.attributes["coldspan.event.source"]);
      }
      expect(found.find((name) => name !== "other") ?? "other").toBe(expectedSource(file));
      expect(deployed.running.stderr).toBe("");
    });
  });
}

/** Ends after starts, and nothing of an invocation starts before it. */
function expectSoundTimes(spans: readonly ReceivedSpan[]): void {
  const [invocation] = spans.filter(({ kind }) => kind === "SERVER");
  if (invocation === undefined) return;
  for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
    expect(startTimeUnixNano >= invocation.startTimeUnixNano).toBe(true);
    expect(endTimeUnixNano >= startTimeUnixNano).toBe(true);
    expect(endTimeUnixNano <= invocation.endTimeUnixNano).toBe(true);
  }
}
