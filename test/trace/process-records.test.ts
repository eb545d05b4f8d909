import { setTimeout as sleep } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import type { SQSEvent } from "aws-lambda";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { setLifecycle } from "../../src/seam.ts";
import { withTracing } from "../../src/trace/handler.ts";
import { processRecords } from "../../src/trace/process-records.ts";
import { producer, sqsEvent, sqsRecord } from "../support/sqs.ts";
import { startTraced } from "../support/traced.ts";

const traced = startTraced();
const quiet = { onError: () => {} };

beforeEach(() => traced.reset());

function recordSpan(n: number) {
  const spans = traced
    .spans()
    .filter((span) => span.attributes["messaging.message.id"] === `message-${n}`);
  expect(spans).toHaveLength(1);
  return spans[0];
}

describe("processRecords", () => {
  it("gives every record its own span, current while it is worked on", async () => {
    const seen = new Map<string, string | undefined>();
    const handler = withTracing((event: SQSEvent) =>
      processRecords(event, async (record) => {
        await sleep(1);
        seen.set(record.messageId, trace.getActiveSpan()?.spanContext().spanId);
      }),
    );
    await expect(handler(sqsEvent(20))).resolves.toEqual({ batchItemFailures: [] });
    for (let n = 1; n <= 20; n++) {
      expect(recordSpan(n)?.spanContext().traceId).toBe(producer(n).traceId);
      expect(seen.get(`message-${n}`)).toBe(recordSpan(n)?.spanContext().spanId);
    }
  });

  it("reports a record that throws, hides no other, and marks only its span", async () => {
    const handler = withTracing((event: SQSEvent) =>
      processRecords(
        event,
        (record) => {
          if (record.messageId !== "message-1") throw new Error(`no ${record.messageId}`);
        },
        quiet,
      ),
    );
    await expect(handler(sqsEvent(3))).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: "message-2" }, { itemIdentifier: "message-3" }],
    });
    expect(recordSpan(1)?.status).toEqual({ code: 0 });
    expect(recordSpan(2)?.status).toEqual({ code: 2, message: "no message-2" });
    expect(recordSpan(3)?.status).toEqual({ code: 2, message: "no message-3" });
    const [batch] = traced.named("process orders").filter((span) => span.links.length === 3);
    expect(batch?.attributes["coldspan.batch.failure_count"]).toBe(2);
    expect(batch?.status).toEqual({ code: 0 });
  });

  it("works on no more records at once than asked", async () => {
    let running = 0;
    let most = 0;
    await processRecords(
      sqsEvent(30),
      async () => {
        most = Math.max(most, ++running);
        await sleep(1);
        running--;
      },
      { concurrency: 4 },
    );
    expect(most).toBe(4);
  });

  it("keeps the order of a FIFO message group and stops it at its first failure", async () => {
    const order: string[] = [];
    const groups = ["a", "b", "a", "b", "a"];
    const event: SQSEvent = {
      Records: groups.map((group, index) => {
        const record = sqsRecord(index + 1);
        return {
          ...record,
          eventSourceARN: `${record.eventSourceARN}.fifo`,
          attributes: { ...record.attributes, MessageGroupId: group, SequenceNumber: `${index}` },
        };
      }),
    };
    const answer = await processRecords(
      event,
      async (record) => {
        order.push(record.messageId);
        await sleep(record.messageId === "message-1" ? 5 : 1);
        if (record.messageId === "message-3") throw new Error("stuck");
      },
      quiet,
    );
    expect(order).not.toContain("message-5");
    expect(order.indexOf("message-1")).toBeLessThan(order.indexOf("message-3"));
    expect(answer.batchItemFailures.map((failure) => failure.itemIdentifier)).toEqual([
      "message-3",
      "message-5",
    ]);
  });

  it("hands back near the deadline what has not finished, and says so to the work", async () => {
    let signalled = false;
    const answer = await processRecords(
      sqsEvent(3),
      async (record, signal) => {
        if (record.messageId === "message-1") return;
        signal.addEventListener("abort", () => {
          signalled = true;
        });
        await sleep(10_000, undefined, { signal }).catch(() => sleep(50));
      },
      {
        concurrency: 2,
        deadlineMarginMs: 100,
        context: { getRemainingTimeInMillis: () => 150 },
        ...quiet,
      },
    );
    expect(answer.batchItemFailures).toEqual([
      { itemIdentifier: "message-2" },
      { itemIdentifier: "message-3" },
    ]);
    expect(signalled).toBe(true);
  });

  it.each([
    { remainingMs: 60_000, marginMs: 1_000 },
    { remainingMs: 4_000, marginMs: 800 },
    { remainingMs: 1_500, marginMs: 500 },
  ])("keeps $marginMs ms of $remainingMs free unless told otherwise", async (it) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const context = { getRemainingTimeInMillis: () => it.remainingMs };
    let signal: AbortSignal | undefined;
    const work = (_record: unknown, given: AbortSignal) => {
      signal = given;
      return new Promise<never>(() => {});
    };
    const answer = processRecords(sqsEvent(1), work, { context, ...quiet });
    await vi.advanceTimersByTimeAsync(it.remainingMs - it.marginMs - 1);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(signal?.aborted).toBe(true);
    expect((await answer).batchItemFailures).toEqual([{ itemIdentifier: "message-1" }]);
  });

  it("follows records of a parsed copy of the event", async () => {
    const handler = withTracing((event: SQSEvent) =>
      processRecords(structuredClone(event), async () => {
        await sleep(1);
      }),
    );
    await handler(sqsEvent(2));
    expect(recordSpan(2)?.spanContext().traceId).toBe(producer(2).traceId);
    expect(recordSpan(2)?.parentSpanContext?.spanId).toBe(producer(2).spanId);
  });

  it("works the same without tracing", async () => {
    setLifecycle(null);
    try {
      const handler = withTracing((event: SQSEvent) =>
        processRecords(
          event,
          (record) => {
            if (record.messageId === "message-2") throw new Error("no");
          },
          quiet,
        ),
      );
      await expect(handler(sqsEvent(3))).resolves.toEqual({
        batchItemFailures: [{ itemIdentifier: "message-2" }],
      });
      expect(traced.spans()).toHaveLength(0);
    } finally {
      setLifecycle(traced.lifecycle);
    }
  });

  it.each([{ Records: [] }, []])("answers that none of no records failed: %j", async (event) => {
    await expect(processRecords(event, () => {})).resolves.toEqual({ batchItemFailures: [] });
  });

  it.each([
    ["the very error of one record", ["m-1"]],
    ["all errors of several", ["m-1", "m-3"]],
  ])(
    "throws %s where the source takes no partial answer, when all had their turn",
    async (_, failing) => {
      const seen: string[] = [];
      const messages = ["m-1", "m-2", "m-3"].map((messageID) => ({ messageID }));
      const handler = withTracing((event: { eventSource: string; messages: typeof messages }) =>
        processRecords(
          event,
          ({ messageID }) => {
            seen.push(messageID);
            if (failing.includes(messageID)) throw messageID;
          },
          quiet,
        ),
      );
      const thrown: unknown = await handler({ eventSource: "aws:mq", messages }).catch(
        (error: unknown) => error,
      );
      expect(thrown instanceof AggregateError ? thrown.errors : [thrown]).toEqual(failing);
      expect(seen).toEqual(["m-1", "m-2", "m-3"]);
      const failed = traced
        .spans()
        .filter((span) => span.status.code === 2)
        .map((span) => span.attributes["messaging.message.id"])
        .filter((id) => id !== undefined);
      expect(failed).toEqual(failing);
    },
  );

  it("throws even undefined on where the source takes no partial answer", async () => {
    const event = { eventSource: "aws:mq", messages: [{ messageID: "m-1" }] };
    const outcome = processRecords(event, () => Promise.reject(undefined), quiet);
    await expect(outcome.then(() => "answered", String)).resolves.toBe("undefined");
  });

  it("refuses what delivers no records, and a concurrency that is no number of workers", async () => {
    await expect(processRecords({} as never, () => {})).rejects.toThrow(TypeError);
    await expect(processRecords(sqsEvent(1), () => {}, { concurrency: 0 })).rejects.toThrow(
      "processRecords: expected concurrency to be an integer from 1, got 0",
    );
  });
});
