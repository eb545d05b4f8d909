/** Wall-clock times for spans, exact among themselves. */
import type { HrTime } from "@opentelemetry/api";

/** Turns a `performance.now()` reading into the time a span takes. */
export type Clock = (reading: number) => HrTime;

/**
 * Below this the two clocks differ by `Date.now()`'s rounding; above it the process was frozen
 * (the monotonic clock stood still) or the wall clock was set.
 */
const MAX_ROUNDING_MS = 2;
const NANOS_PER_MS = 1_000_000;
const MS_PER_SECOND = 1_000;

/**
 * A clock anchored now; made anew for every invocation, since a freeze may lie between two.
 * The SDK anchors every span by itself, to the millisecond: spans that touch would overlap.
 */
export function anchorClock(): Clock {
  const driftMs = Date.now() - (performance.timeOrigin + performance.now());
  const originMs = performance.timeOrigin + (Math.abs(driftMs) > MAX_ROUNDING_MS ? driftMs : 0);
  return (reading) => {
    const epochMs = originMs + reading;
    const seconds = Math.trunc(epochMs / MS_PER_SECOND);
    return [seconds, Math.round((epochMs - seconds * MS_PER_SECOND) * NANOS_PER_MS)];
  };
}
