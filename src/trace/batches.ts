/** The batches of one event: a span each, and one watch over every array they share. */
import type { Context } from "@opentelemetry/api";
import { BatchSpan } from "./batch-span.ts";
import type { Clock } from "./clock.ts";
import type { HandlerSetup } from "./handler-setup.ts";
import { watchLoops } from "./loops.ts";
import { processName, resolveName } from "./names.ts";
import type { InboundPolicy } from "./settings.ts";
import type { EventDescription } from "./source.ts";

/** Where in time and in the trace the invocation stands when its batches start. */
export interface BatchesStart {
  readonly context: Context;
  readonly clock: Clock;
  /** `performance.now()` of the invocation's start. */
  readonly startTime: number;
  /** The same as Unix time in ms. */
  readonly startedAtMs: number;
}

export function startBatches(
  setup: HandlerSetup,
  event: unknown,
  description: EventDescription,
  policy: InboundPolicy,
  start: BatchesStart,
): BatchSpan[] {
  if (description.batches === undefined) return [];
  const { lifecycle, recordParent, semconv } = setup;
  const { names } = setup.options;
  const spans = description.batches.map((batch) => {
    const fallbackName = processName(batch);
    return new BatchSpan(batch, {
      ...start,
      lifecycle,
      trigger: description.trigger,
      recordParent,
      semconv,
      inbound: policy,
      batchName: resolveName("batch", names?.batch, fallbackName, event),
      nameRecord: (record) => resolveName("record", names?.record, fallbackName, record, event),
    });
  });
  watchArrays(spans);
  return spans;
}

/** Batches may share an array: each array is watched once and asks every batch. */
function watchArrays(batches: readonly BatchSpan[]): void {
  for (const records of new Set(batches.flatMap((batch) => [...batch.arrays]))) {
    watchLoops(records, (index) => {
      for (const batch of batches) {
        const scope = batch.scopeIn(records, index);
        if (scope !== undefined) return scope;
      }
      return undefined;
    });
  }
}
