import { isValidSpanId, isValidTraceId } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { createIdGenerator } from "../../src/sdk/id-generator.ts";

test("a trace id begins with the seconds of its making, as X-Ray wants", () => {
  const nowMs = 1_795_219_200_999;
  const traceId = createIdGenerator(() => nowMs).generateTraceId();
  expect(isValidTraceId(traceId)).toBe(true);
  expect(Number.parseInt(traceId.slice(0, 8), 16)).toBe(1_795_219_200);
});

test("ids are valid and all different, over many pools", () => {
  const ids = createIdGenerator();
  const traces = Array.from({ length: 5_000 }, () => ids.generateTraceId());
  const spans = Array.from({ length: 50_000 }, () => ids.generateSpanId());
  expect(traces.every(isValidTraceId)).toBe(true);
  expect(spans.every(isValidSpanId)).toBe(true);
  expect(new Set(traces.map((id) => id.slice(8))).size).toBe(traces.length);
  expect(new Set(spans).size).toBe(spans.length);
});

test("randomness older than a second may come from a snapshot and is thrown away", () => {
  let nowMs = 1_000_000;
  let fills = 0;
  const ids = createIdGenerator(
    () => nowMs,
    (pool) => void pool.fill(++fills),
  );
  expect(ids.generateSpanId()).toBe("01".repeat(8));
  nowMs += 1_000;
  expect(ids.generateSpanId()).toBe("01".repeat(8));
  nowMs += 1;
  expect(ids.generateSpanId()).toBe("02".repeat(8));
  nowMs -= 60_000; // A restored machine's clock may also be behind.
  expect(ids.generateTraceId().slice(8)).toBe("03".repeat(12));
});

test("no randomness is used twice", () => {
  let fills = 0;
  const ids = createIdGenerator(
    () => 0,
    (pool) => {
      for (let at = 0; at < pool.length; at += 4) pool.writeUInt32BE(++fills, at);
    },
  );
  const used = Array.from({ length: 500 }, (_, index) =>
    index % 3 ? ids.generateSpanId() : ids.generateTraceId().slice(8),
  );
  const words = used.flatMap((id) => id.match(/.{8}/g) ?? []);
  expect(new Set(words).size).toBe(words.length);
});
