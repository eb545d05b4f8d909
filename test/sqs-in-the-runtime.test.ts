import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTaskRoot, type ModuleFormat, type TaskRoot } from "../runtimes/task-root.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../src/dev/received-span.ts";
import type { FunctionProcess } from "../src/dev/running-function.ts";
import { deploy, RUNTIMES } from "./support/deployed.ts";
import { producer, snsWrapped, sqsEvent } from "./support/sqs.ts";

const TEN = sqsEvent(10);
const FORMATS: readonly ModuleFormat[] = ["esm", "cjs"];

/** Which records' own spans carry their work, and how many spans the handler makes besides. */
interface Variant {
  readonly name: string;
  readonly event: unknown;
  readonly records: number;
  /** Parent of the span that each record's work makes. */
  readonly workParent: "record" | "invocation" | "none";
  readonly extraSpans?: number;
  readonly failedRecords?: readonly number[];
  readonly isError?: boolean;
}

const VARIANTS: readonly Variant[] = [
  { name: "for…of with await", event: sqsEvent(1), records: 1, workParent: "record" },
  { name: "for…of with await", event: TEN, records: 10, workParent: "record" },
  { name: "Promise.all over map", event: TEN, records: 10, workParent: "record" },
  { name: "forEach", event: TEN, records: 10, workParent: "record" },
  { name: "processRecords", event: TEN, records: 10, workParent: "record" },
  { name: "index loop", event: TEN, records: 10, workParent: "invocation" },
  {
    name: "partial failures",
    event: TEN,
    records: 10,
    workParent: "record",
    failedRecords: [1, 4, 7, 10],
  },
  {
    name: "thrown error",
    event: TEN,
    records: 10,
    workParent: "record",
    failedRecords: [10],
    isError: true,
  },
  { name: "for…of with await", event: snsWrapped(3), records: 3, workParent: "record" },
  { name: "cloned and serialised", event: TEN, records: 10, workParent: "none" },
  {
    name: "loop held by an awaited function",
    event: TEN,
    records: 10,
    workParent: "record",
    extraSpans: 1,
  },
];

let receiver: OtlpReceiver;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
});

afterAll(() => receiver.close());

describe.each(RUNTIMES)("Node $node with runtime client $ric", (runtime) => {
  describe.each(FORMATS)("a handler as %s", (format) => {
    let taskRoot: TaskRoot;
    let bare: FunctionProcess;
    let traced: FunctionProcess;

    beforeAll(async () => {
      taskRoot = await createTaskRoot("test/fixtures/functions/orders.ts", format);
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl };
      [bare, traced] = await Promise.all([
        deploy(runtime, taskRoot, {
          handler: "app.bare",
          env: { ...env, OTEL_SDK_DISABLED: "true" },
        }),
        deploy(runtime, taskRoot, { handler: "app.traced", env }),
      ]);
      // The first invocation carries the init span; the variants compare warm ones.
      await invoke(traced, { name: "for…of with await", event: { Records: [] } });
    });

    afterAll(async () => {
      await Promise.all([bare?.close(), traced?.close()]);
      await taskRoot?.remove();
    });

    it.each(VARIANTS)("$name, $records records", async (variant) => {
      receiver.clear();
      const expected = await invoke(bare, variant);
      const result = await invoke(traced, variant);
      expect(result.outcome).toBe(variant.isError === true ? "error" : "response");
      expect(withoutStack(result.body)).toBe(withoutStack(expected.body));
      const workSpans = variant.workParent === "none" ? 0 : variant.records;
      const total = 2 + variant.records + workSpans + (variant.extraSpans ?? 0);
      const spans = await receiver.waitForSpans(total);
      expect(spans).toHaveLength(total);
      expect(receiver.duplicates()).toEqual([]);
      expectTrace(spans, variant);
    });
  });
});

function invoke(target: FunctionProcess, variant: Pick<Variant, "name" | "event">) {
  return target.invoke(variant.event, { clientContext: { custom: { variant: variant.name } } });
}

/** An error's answer holds the stack, which names the wrapper's frames. */
function withoutStack(body: Uint8Array): string {
  const text = new TextDecoder().decode(body);
  return text.replace(/"trace":\[.*\]/, '"trace":[]');
}

function one(
  spans: readonly ReceivedSpan[],
  wanted: (span: ReceivedSpan) => boolean,
): ReceivedSpan {
  const found = spans.filter(wanted);
  expect(found).toHaveLength(1);
  return found[0] as ReceivedSpan;
}

function expectTrace(spans: readonly ReceivedSpan[], variant: Variant): void {
  const invocation = one(spans, (span) => span.kind === "SERVER");
  expect(invocation.name).toBe("my-function");
  expect(invocation.parentSpanId).toBeUndefined();
  expect(invocation.status.code).toBe(variant.isError === true ? "ERROR" : "UNSET");

  const batch = one(spans, (span) => "messaging.batch.message_count" in span.attributes);
  expect(batch).toMatchObject({
    name: "process orders",
    kind: "CONSUMER",
    traceId: invocation.traceId,
    parentSpanId: invocation.spanId,
  });
  expect(batch.attributes["messaging.batch.message_count"]).toBe(variant.records);
  expect(batch.status.code).toBe(variant.isError === true ? "ERROR" : "UNSET");
  const producers = Array.from({ length: variant.records }, (_, index) => producer(index + 1));
  expect(batch.links.map(({ traceId, spanId }) => ({ traceId, spanId }))).toEqual(producers);

  for (const [index, from] of producers.entries()) {
    const messageId = `message-${index + 1}`;
    const record = one(spans, (span) => span.attributes["messaging.message.id"] === messageId);
    expect(record).toMatchObject({
      name: "process orders",
      kind: "CONSUMER",
      traceId: from.traceId,
      parentSpanId: from.spanId,
    });
    expect(record.links.map(({ traceId, spanId }) => ({ traceId, spanId }))).toEqual([
      { traceId: batch.traceId, spanId: batch.spanId },
    ]);
    const hasFailed = variant.failedRecords?.includes(index + 1) === true;
    expect(record.status.code, messageId).toBe(hasFailed ? "ERROR" : "UNSET");
    if (variant.workParent === "none") continue;
    const work = one(spans, (span) => span.name === `work ${messageId}`);
    const parent = variant.workParent === "record" ? record : invocation;
    expect(work).toMatchObject({ traceId: parent.traceId, parentSpanId: parent.spanId });
  }
  for (const extra of spans.filter((span) => span.name === "after the loop")) {
    expect(extra.parentSpanId).toBe(invocation.spanId);
  }
}
