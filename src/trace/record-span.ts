/** The span of one record: where it hangs, what it links to, what it says. */
import { type Attributes, type Context, type Link, type Span, SpanKind } from "@opentelemetry/api";
import type { Message } from "./batch-messages.ts";
import type { BatchSetup } from "./batch-span.ts";
import { inDialect } from "./dialect.ts";
import { COLDSPAN_MESSAGE_QUEUE_TIME_MS } from "./semconv.ts";
import type { Batch } from "./source.ts";

/** Starts the span of a message; `startTime` is a `performance.now()` reading. */
export type StartRecordSpan = (message: Message, startTime: number) => Span;

/** Decides once what the spans of a batch's records share. */
export function createRecordSpans(
  batch: Batch,
  setup: BatchSetup,
  batchSpan: Span,
  batchContext: Context,
): StartRecordSpan {
  const { lifecycle, recordParent, semconv, clock, startedAtMs } = setup;
  const shared = inDialect(batch.attributes, semconv);
  const linkToBatch: Link[] = [{ context: batchSpan.spanContext() }];
  return (message, startTime) => {
    const { record, context, producer, isParent, sentAtMs } = message;
    const attributes: Attributes = { ...shared, ...inDialect(message.attributes, semconv) };
    if (sentAtMs !== undefined) {
      attributes[COLDSPAN_MESSAGE_QUEUE_TIME_MS] = Math.max(0, startedAtMs - sentAtMs);
    }
    const options = {
      kind: SpanKind.CONSUMER,
      attributes,
      startTime: clock(startTime),
    };
    const name = setup.nameRecord(record);
    if (producer === undefined) return lifecycle.tracer.startSpan(name, options, batchContext);
    const isContinued = isParent && context !== undefined && recordParent === "producer";
    return lifecycle.tracer.startSpan(
      name,
      { ...options, links: isContinued ? linkToBatch : [{ context: producer }] },
      isContinued ? context : batchContext,
    );
  };
}
