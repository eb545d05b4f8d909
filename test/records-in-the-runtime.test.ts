/** The records of every source that delivers them, in the real runtime: whose span is current, and what is answered. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTaskRoot, type TaskRoot } from "../runtimes/task-root.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../src/dev/received-span.ts";
import type { FunctionProcess } from "../src/dev/running-function.ts";
import { BATCH_EVENTS, type BatchEvent } from "./support/batch-events.ts";
import { deploy, LAMBDA_RUNTIMES, type Runtime } from "./support/deployed.ts";

/** Three messages of a standard queue. */
const DEADLINE_EVENT = BATCH_EVENTS.find(
  ({ name }) => name === "SQS with SNS envelopes",
) as BatchEvent;
/** Never reached: far above what answer and spans take on a busy machine once the signal has fired. */
const DEADLINE_MS = 20_000;
/** Fires the signal far below what the slow record takes, and with time enough for the others. */
const MARGIN_MS = DEADLINE_MS - 1_500;

let taskRoot: TaskRoot;

beforeAll(async () => {
  taskRoot = await createTaskRoot("test/fixtures/functions/records.ts", "esm");
});

afterAll(() => taskRoot.remove());

interface Deployed {
  readonly receiver: OtlpReceiver;
  readonly running: FunctionProcess;
}

/** A warm function with a receiver of its own. */
async function start(runtime: Runtime): Promise<Deployed> {
  const receiver = await startOtlpReceiver();
  const running = await deploy(runtime, taskRoot, {
    handler: "app.traced",
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
      COLDSPAN_FLUSH_TIMEOUT_MS: "20000",
    },
  });
  await running.invoke({ Records: [] }, { clientContext: { custom: { way: "map" } } });
  return { receiver, running };
}

async function close(deployed: Deployed | undefined): Promise<void> {
  await deployed?.running.close();
  await deployed?.receiver.close();
}

describe.each(LAMBDA_RUNTIMES)("Node $node with runtime client $ric", (runtime) => {
  let deployed: Deployed;

  beforeAll(async () => {
    deployed = await start(runtime);
  });

  afterAll(() => close(deployed));

  /** Before-return flush: when the answer is there, so are all spans. */
  async function invoke(event: unknown, custom: object) {
    const { receiver, running } = deployed;
    receiver.clear();
    const result = await running.invoke(event, { clientContext: { custom } });
    return { result, spans: receiver.spans() };
  }

  describe.each(BATCH_EVENTS)("$name", (batchEvent) => {
    it.each(["for…of", "map", "processRecords"])("by %s", async (way) => {
      const { result, spans } = await invoke(batchEvent.event, { way });
      expect(result.outcome).toBe("response");
      if (way === "processRecords") {
        expect(JSON.parse(result.body.toString())).toEqual({ batchItemFailures: [] });
      }
      expectTrace(spans, batchEvent);
      expect(spans.filter(({ status }) => status.code !== "UNSET")).toEqual([]);
    });

    it("names what failed and what was kept back, or throws where it has no name", async () => {
      const { failing, reported, records } = batchEvent;
      const { result, spans } = await invoke(batchEvent.event, { way: "processRecords", failing });
      const identifiers = records
        .filter(({ key }) => reported.includes(key))
        .map(({ identifier }) => ({ itemIdentifier: identifier }));
      if (identifiers.length > 0) {
        const { batchItemFailures } = JSON.parse(result.body.toString());
        expect(new Set(batchItemFailures)).toEqual(new Set(identifiers));
        expect(batchItemFailures).toHaveLength(identifiers.length);
      } else {
        expect(result.outcome).toBe("error");
        expect(result.error?.message).toBe(
          failing.length === 1 ? `no ${failing[0]}` : `${failing.length} records failed`,
        );
      }
      expectFailures(spans, batchEvent);
    });
  });
});

describe("processRecords near the deadline", () => {
  let deployed: Deployed;

  beforeAll(async () => {
    deployed = await start({ node: 24, ric: 4 });
  });

  afterAll(() => close(deployed));

  it.each([
    ["stops at the signal", "processRecords"],
    ["does not listen to it", "deaf"],
  ])("hands back what is unfinished, when the work %s", async (_, way) => {
    const { event, records } = DEADLINE_EVENT;
    const { receiver, running } = deployed;
    receiver.clear();
    const slow = ["m-2"];
    const result = await running.invoke(event, {
      clientContext: { custom: { way, slow, deadlineMarginMs: MARGIN_MS } },
      timeoutMs: DEADLINE_MS,
    });
    expect(result.outcome).toBe("response");
    const finished = way === "deaf" ? ["m-1"] : ["m-1", "m-3"];
    const unfinished = records.filter(({ key }) => !finished.includes(key));
    expect(JSON.parse(result.body.toString())).toEqual({
      batchItemFailures: unfinished.map(({ identifier }) => ({ itemIdentifier: identifier })),
    });
    const spans = receiver.spans();
    expect(only(spans.filter(({ kind }) => kind === "SERVER")).status.code).toBe("UNSET");
    expect(spans.filter(isRecord)).toHaveLength(records.length);
    for (const span of spans.filter(isRecord)) {
      const messageId = String(span.attributes["messaging.message.id"]);
      const expected = finished.includes(messageId) ? "UNSET" : "ERROR";
      expect({ messageId, code: span.status.code }).toEqual({ messageId, code: expected });
    }
    const batch = only(spans.filter(isBatch));
    expect(batch.attributes["coldspan.batch.failure_count"]).toBe(unfinished.length);
  });
});

function isBatch({ attributes }: ReceivedSpan): boolean {
  return "messaging.batch.message_count" in attributes;
}

function isRecord(span: ReceivedSpan): boolean {
  return span.kind === "CONSUMER" && !isBatch(span);
}

function only(spans: readonly ReceivedSpan[]): ReceivedSpan {
  expect(spans).toHaveLength(1);
  return spans[0] as ReceivedSpan;
}

/** The record span in which a record was worked on. */
function recordSpan(spans: readonly ReceivedSpan[], key: string): ReceivedSpan {
  const work = only(spans.filter(({ name }) => name === `work ${key}`));
  return only(spans.filter((span) => isRecord(span) && span.spanId === work.parentSpanId));
}

function expectTrace(spans: readonly ReceivedSpan[], { records }: BatchEvent): void {
  const invocation = only(spans.filter(({ kind }) => kind === "SERVER"));
  const destinations = Map.groupBy(records, ({ destination }) => destination);
  expect(spans).toHaveLength(1 + destinations.size + 2 * records.length);
  for (const [destination, delivered] of destinations) {
    const batch = only(
      spans.filter((span) => isBatch(span) && span.name === `process ${destination}`),
    );
    expect(batch.parentSpanId).toBe(invocation.spanId);
    expect(batch.attributes["messaging.batch.message_count"]).toBe(delivered.length);
    const producers = delivered.flatMap(({ producer }) => producer ?? []);
    expect(batch.links.map(({ traceId, spanId }) => ({ traceId, spanId }))).toEqual(producers);
    for (const { key, producer } of delivered) {
      const { name, traceId, parentSpanId, links } = recordSpan(spans, key);
      const linked = links.map((link) => link.spanId);
      expect({ name, traceId, parentSpanId, linked }).toEqual({
        name: `process ${destination}`,
        traceId: producer?.traceId ?? batch.traceId,
        parentSpanId: producer?.spanId ?? batch.spanId,
        linked: producer === undefined ? [] : [batch.spanId],
      });
    }
  }
}

function expectFailures(spans: readonly ReceivedSpan[], batchEvent: BatchEvent): void {
  const { failing, reported, records } = batchEvent;
  for (const key of failing) {
    const { status, attributes, events } = recordSpan(spans, key);
    expect(status).toEqual({ code: "ERROR", message: `no ${key}` });
    expect(attributes["error.type"]).toBe("RangeError");
    expect(events.map(({ name }) => name)).toEqual(["exception"]);
  }
  const keptBack = reported.filter((key) => !failing.includes(key));
  for (const key of keptBack) {
    expect(spans.map(({ name }) => name)).not.toContain(`work ${key}`);
  }
  const recordSpans = spans.filter(isRecord);
  expect(recordSpans).toHaveLength(records.length);
  const errorTypes = recordSpans.map(({ attributes }) => attributes["error.type"]);
  expect(errorTypes.filter((type) => type === "RangeError")).toHaveLength(failing.length);
  expect(errorTypes.filter((type) => type === "batch_item_failure")).toHaveLength(keptBack.length);
  const counts = spans
    .filter(isBatch)
    .map((span) => span.attributes["coldspan.batch.failure_count"]);
  const total = counts.reduce<number>((sum, count) => sum + Number(count ?? 0), 0);
  expect(total).toBe(failing.length + keptBack.length);
}
