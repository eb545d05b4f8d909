/**
 * What the bundles have in place of the global `performance`: the same clock, without `node:perf_hooks`.
 * Ten modules of Node that the runtime client does not load, a sixth of what starting the SDK takes.
 */
import type { Performance } from "node:perf_hooks";

const MS_PER_SECOND = 1_000;
/** Between two readings of one clock; when it is more, the process was not running in between. */
const MAX_GAP_MS = 0.1;
const MAX_TRIES = 5;

/** What `performance.now()` is ahead of the process's uptime. */
const leadMs = measureLead();

function uptimeMs(): number {
  return process.uptime() * MS_PER_SECOND;
}

/** An event carries a reading of `performance.now()` (DOM, "inner event creation steps"). */
function measureLead(): number {
  let best = { gapMs: Number.POSITIVE_INFINITY, leadMs: 0 };
  for (let tries = 0; tries < MAX_TRIES && best.gapMs > MAX_GAP_MS; tries++) {
    const beforeMs = uptimeMs();
    const { timeStamp } = new Event("clock");
    const gapMs = uptimeMs() - beforeMs;
    if (gapMs < best.gapMs) best = { gapMs, leadMs: timeStamp - beforeMs - gapMs / 2 };
  }
  return best.leadMs;
}

function now(): number {
  return uptimeMs() + leadMs;
}

/** Readings are those of the global `performance`, to some microseconds; its origin to the millisecond. */
export const performance: Pick<Performance, "now" | "timeOrigin"> = {
  timeOrigin: Date.now() - now(),
  now,
};
