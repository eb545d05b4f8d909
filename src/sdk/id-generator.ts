/** Trace and span ids that X-Ray accepts too (X-Ray developer guide, "Tracing header"). */
import { closeSync, openSync, readSync } from "node:fs";
import type { IdGenerator } from "@opentelemetry/sdk-trace";

/** The kernel's generator, which is seeded anew when a machine is restored from a snapshot. */
const RANDOM_DEVICE = "/dev/urandom";
/** The most that a read of the device is sure to return whole (random(4)); ~0.2 µs per span id. */
const POOL_BYTES = 256;
const TRACE_ID_RANDOM_BYTES = 12;
const SPAN_ID_BYTES = 8;
/** A pool older than this may have been part of a snapshot that several machines were restored from. */
const MAX_POOL_AGE_MS = 1_000;
const MS_PER_SECOND = 1_000;
const HEX = 16;
const EPOCH_DIGITS = 8;

/**
 * Trace ids begin with the time in seconds, as X-Ray's do; all else is random.
 *
 * Randomness is read from the kernel: `crypto.getRandomValues` loads 9 ms of builtins in a bare
 * process, this 0.15 ms, and `Math.random` repeats itself in copies of one snapshot.
 */
export function createIdGenerator(
  now: () => number = Date.now,
  fill: (pool: Buffer) => void = fillRandom,
): IdGenerator {
  const pool = Buffer.alloc(POOL_BYTES);
  let offset = POOL_BYTES;
  let filledAtMs = 0;

  function randomHex(bytes: number, nowMs: number): string {
    const isStale = Math.abs(nowMs - filledAtMs) > MAX_POOL_AGE_MS;
    if (isStale || offset + bytes > POOL_BYTES) {
      fill(pool);
      offset = 0;
      filledAtMs = nowMs;
    }
    offset += bytes;
    return pool.toString("hex", offset - bytes, offset);
  }

  return {
    generateTraceId() {
      const nowMs = now();
      const seconds = Math.floor(nowMs / MS_PER_SECOND).toString(HEX);
      return seconds.padStart(EPOCH_DIGITS, "0") + randomHex(TRACE_ID_RANDOM_BYTES, nowMs);
    },
    // All zeros is invalid, and once in 2^64 ids not worth a check.
    generateSpanId: () => randomHex(SPAN_ID_BYTES, now()),
  };
}

function fillRandom(pool: Buffer): void {
  try {
    const device = openSync(RANDOM_DEVICE, "r");
    try {
      readSync(device, pool);
    } finally {
      closeSync(device);
    }
  } catch {
    // No such device (Windows, a local run): the slower generator is always there.
    globalThis.crypto.getRandomValues(pool);
  }
}
