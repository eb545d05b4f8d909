import { expect, test } from "vitest";
import { performance as ours } from "../src/monotonic-clock.ts";

/** Half of the gap that a measurement may have. */
const TOLERANCE_MS = 0.05;
/** `Date.now()` cuts its fraction off. */
const WALL_TOLERANCE_MS = 2;

test("its readings fit between those of the global clock", () => {
  for (let round = 0; round < 1_000; round++) {
    const before = performance.now();
    const reading = ours.now();
    const after = performance.now();
    expect(reading).toBeGreaterThanOrEqual(before - TOLERANCE_MS);
    expect(reading).toBeLessThanOrEqual(after + TOLERANCE_MS);
  }
});

test("its origin is that of the global clock", () => {
  expect(Math.abs(ours.timeOrigin - performance.timeOrigin)).toBeLessThan(WALL_TOLERANCE_MS);
});
