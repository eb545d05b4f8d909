/** The largest batch that SQS delivers, 10,000 records in 6 MB. */
import type { SQSEvent } from "aws-lambda";
import { expect, test } from "vitest";
import type { ReceivedSpan } from "../../src/dev/received-span.ts";
import { producer, sqsEvent } from "../support/sqs.ts";
import { FaultFunction, startBare } from "./support/fault-function.ts";
import { crossed, startRow } from "./support/fault-row.ts";

const RECORDS = 10_000;
/** Lambda's limit for an asynchronous payload. */
const EVENT_BYTES = 6_291_556;
/** gRPC servers' usual limit (OTLP specification). */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Init, invocation and batch; each record's own span and one that its work makes. */
const SPANS = 3 + 2 * RECORDS;
const ARRIVAL_MS = 30_000;
/** Lambda's memory setting; told to the function, and to no one else. */
const MEMORY_MB = 1024;

const event = largeEvent();

function largeEvent(): SQSEvent {
  const { Records } = sqsEvent(RECORDS);
  const roomBytes = EVENT_BYTES - JSON.stringify({ Records }).length;
  const padding = "x".repeat(Math.max(0, Math.floor(roomBytes / RECORDS)));
  return { Records: Records.map((record) => ({ ...record, body: record.body + padding })) };
}

test.for(crossed([{}]))("10,000 SQS records: $protocol, $mode", async (of, context) => {
  const fault = "10,000 SQS records, 6 MB, none lost";
  const row = startRow(context, { ...of, fault });
  const memory = { memoryMb: MEMORY_MB };
  const bare = await startBare(context, { handler: "app.bareRecords", function: memory });
  const plain = await bare.invoke(event);
  const barePeak = bare.peakMemoryBytes() ?? 0;
  await bare.close();

  const traced = await FaultFunction.start(context, row, {
    handler: "app.tracedRecords",
    function: memory,
  });
  const { receiver } = traced;
  const result = await traced.invokeWith(event);
  expect(result.body).toEqual(plain.body);
  await receiver.waitForSpans(SPANS, ARRIVAL_MS).catch(() => undefined);

  const spans = receiver.spans();
  const requests = receiver.requests();
  const largest = Math.max(...requests.map(({ message }) => message.length));
  traced.fill();
  const duplicates = receiver.duplicates();
  Object.assign(row, {
    expected: SPANS,
    arrived: new Set(spans.map(({ traceId, spanId }) => `${traceId}:${spanId}`)).size,
    doubled: duplicates.length,
    note: `${spans.find(isBatch)?.links.length} links, largest request ${largest.toLocaleString("en-US")} B, peak bare ${Math.round(barePeak / 2 ** 20)} MiB`,
  });
  expect(spans).toHaveLength(SPANS);
  expect(duplicates).toEqual([]);
  expect(largest).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
  expect(requests.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
  expectRecords(spans);
});

function isBatch(span: ReceivedSpan): boolean {
  return "messaging.batch.message_count" in span.attributes;
}

/** Each record's span in its producer's trace, each record's work under it, one link to each producer. */
function expectRecords(spans: readonly ReceivedSpan[]): void {
  const byMessage = new Map(
    spans.map((span) => [span.attributes["messaging.message.id"] ?? span.name, span]),
  );
  const producers = Array.from({ length: RECORDS }, (_, index) => producer(index + 1));
  const [batch] = spans.filter(isBatch);
  expect(batch?.links.map(({ traceId, spanId }) => ({ traceId, spanId }))).toEqual(producers);
  expect(batch?.droppedLinksCount).toBe(0);
  for (const [index, { traceId, spanId }] of producers.entries()) {
    const record = byMessage.get(`message-${index + 1}`);
    const work = byMessage.get(`work message-${index + 1}`);
    if (record?.traceId !== traceId || record.parentSpanId !== spanId) {
      expect(record).toMatchObject({ traceId, parentSpanId: spanId });
    }
    if (work?.traceId !== traceId || work.parentSpanId !== record?.spanId) {
      expect(work).toMatchObject({ traceId, parentSpanId: record?.spanId });
    }
  }
}
