import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import definitions from "otlp-definitions/build/src/generated/root.js";
import { expect, test } from "vitest";
import { encodeTraces } from "../../src/export/otlp-encoder.ts";
import { estimateSpanBytes } from "../../src/export/span-size.ts";
import { makeManySpans, makeSpans } from "../support/sample-spans.ts";
import { arbitrarySpan } from "./support/arbitrary-spans.ts";

interface RequestType {
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): object;
}

// The package types its root as an untyped protobuf namespace.
const { ExportTraceServiceRequest } = (
  definitions as unknown as {
    opentelemetry: { proto: { collector: { trace: { v1: Record<string, RequestType> } } } };
  }
).opentelemetry.proto.collector.trace.v1;

/** By the official definitions, with absent fields as the defaults they mean. */
function decode(bytes: Uint8Array): object {
  const message = ExportTraceServiceRequest?.decode(bytes) ?? {};
  const options = { defaults: true, longs: String, bytes: String, json: true };
  return ExportTraceServiceRequest?.toObject(message, options) ?? {};
}

function encodeStock(spans: readonly ReadableSpan[]): Uint8Array {
  return ProtobufTraceSerializer.serializeRequest([...spans]) ?? new Uint8Array();
}

test("spans of the SDK decode to the same as the stock serializer's", () => {
  const spans = [...makeSpans(), ...makeManySpans(600)];

  const own = encodeTraces(spans);

  expect(decode(own)).toEqual(decode(encodeStock(spans)));
  expect(own.length).toBeLessThanOrEqual(encodeStock(spans).length);
});

test("any spans decode to the same as the stock serializer's", () => {
  fc.assert(
    fc.property(fc.array(arbitrarySpan, { maxLength: 5 }), (spans) => {
      expect(decode(encodeTraces(spans))).toEqual(decode(encodeStock(spans)));
    }),
    { numRuns: 150 },
  );
});

test("no spans are an empty request", () => {
  expect(encodeTraces([])).toHaveLength(0);
});

test("a span with 10,000 links keeps them all, in order", () => {
  const [span] = makeManySpans(1);
  const links = Array.from({ length: 10_000 }, (_, index) => ({
    context: {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: index.toString(16).padStart(16, "0"),
      traceFlags: 1,
      isRemote: true,
    },
    attributes: { "messaging.message.id": `message ${index}` },
  }));
  const wide = [{ ...span, spanContext: span?.spanContext, links } as ReadableSpan];

  expect(decode(encodeTraces(wide))).toEqual(decode(encodeStock(wide)));
});

test("a request holds hardly more memory than its bytes", () => {
  for (const count of [1, 10, 1000]) {
    const request = encodeTraces(makeManySpans(count));
    expect(request.buffer.byteLength).toBeLessThanOrEqual(request.length * 1.4);
  }
});

test("the estimated size of any span is 0.8 to 3 times its bytes in a request", () => {
  fc.assert(
    fc.property(arbitrarySpan, (span) => {
      // What a second copy adds is the span alone, without resource and scope.
      const bytes = encodeTraces([span, span]).length - encodeTraces([span]).length;
      expect(estimateSpanBytes(span)).toBeGreaterThanOrEqual(0.8 * bytes);
      expect(estimateSpanBytes(span)).toBeLessThanOrEqual(3 * bytes);
    }),
    { numRuns: 500 },
  );
});
