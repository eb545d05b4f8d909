import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { SamplingDecision } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import type { SamplerName } from "../../src/config.ts";
import { createIdGenerator } from "../../src/sdk/id-generator.ts";
import { createSampler } from "../../src/sdk/samplers.ts";

type Parent = "none" | "sampled" | "unsampled";

function samples(name: SamplerName, ratio: number, parent: Parent): boolean {
  const { generateSpanId, generateTraceId } = createIdGenerator();
  const traceId = generateTraceId();
  const spanContext = {
    traceId,
    spanId: generateSpanId(),
    traceFlags: parent === "sampled" ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  };
  const ctx = parent === "none" ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContext);
  const sampler = createSampler({ name, ratio });
  const { decision } = sampler.shouldSample(ctx, traceId, "s", SpanKind.SERVER, {}, []);
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

const rows: readonly [SamplerName, ratio: number, byParent: Record<Parent, boolean>][] = [
  ["always_on", 1, { none: true, sampled: true, unsampled: true }],
  ["always_off", 1, { none: false, sampled: false, unsampled: false }],
  ["traceidratio", 0, { none: false, sampled: false, unsampled: false }],
  ["traceidratio", 1, { none: true, sampled: true, unsampled: true }],
  ["parentbased_always_on", 1, { none: true, sampled: true, unsampled: false }],
  ["parentbased_always_off", 1, { none: false, sampled: true, unsampled: false }],
  ["parentbased_traceidratio", 0, { none: false, sampled: true, unsampled: false }],
  ["parentbased_traceidratio", 1, { none: true, sampled: true, unsampled: false }],
];

test.each(rows)("%s with %d", (name, ratio, byParent) => {
  for (const [parent, expected] of Object.entries(byParent)) {
    expect([parent, samples(name, ratio, parent as Parent)]).toEqual([parent, expected]);
  }
});

test("a ratio samples that share of ids that begin with the time", () => {
  const sampled = Array.from({ length: 4_000 }, () => samples("traceidratio", 0.25, "none"));
  const share = sampled.filter(Boolean).length / sampled.length;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.3);
});

test("a sampler of the user's own is used as it is", () => {
  const own = { shouldSample: () => ({ decision: 2 }), toString: () => "own" };
  expect(createSampler(own)).toBe(own);
});
