import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeTraces } from "../../src/dev/otlp-definitions.ts";
import { decodeTracesJson } from "../../src/dev/otlp-json.ts";
import { readSpans } from "../../src/dev/received-span.ts";
import { encodeTraces } from "../../src/export/otlp-encoder.ts";
import { encodeTracesJson } from "../../src/export/otlp-json.ts";
import { makeManySpans, makeSpans } from "../support/sample-spans.ts";
import { arbitrarySpan } from "./support/arbitrary-spans.ts";

function fromJson(spans: readonly ReadableSpan[]): unknown {
  return plain(readSpans(decodeTracesJson(encodeTracesJson(spans)), 0));
}

function fromProtobuf(spans: readonly ReadableSpan[]): unknown {
  return plain(readSpans(decodeTraces(encodeTraces(spans)), 0));
}

/** The two decoders give bytes of different classes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
}

test("spans of the SDK say in JSON what they say in protobuf", () => {
  const spans = [...makeSpans(), ...makeManySpans(20)];

  expect(fromJson(spans)).toEqual(fromProtobuf(spans));
});

test("any spans say in JSON what they say in protobuf", () => {
  fc.assert(
    fc.property(fc.array(arbitrarySpan, { maxLength: 5 }), (spans) => {
      expect(fromJson(spans)).toEqual(fromProtobuf(spans));
    }),
    { numRuns: 150 },
  );
});

test.each([
  [Number.NaN, { doubleValue: "NaN" }],
  [Number.POSITIVE_INFINITY, { doubleValue: "Infinity" }],
  [Number.NEGATIVE_INFINITY, { doubleValue: "-Infinity" }],
  [2 ** 53 + 2, { intValue: "9007199254740994" }],
  [-(2 ** 63), { intValue: "-9223372036854775808" }],
  [2 ** 63, { doubleValue: 2 ** 63 }],
  [0.5, { doubleValue: 0.5 }],
])("the number %d is written as %o", (value, expected) => {
  const [span] = makeManySpans(1);
  const edge = { ...span, spanContext: span?.spanContext, attributes: { value } } as ReadableSpan;
  const json = JSON.parse(Buffer.from(encodeTracesJson([edge])).toString());
  const [written] = json.resourceSpans[0].scopeSpans[0].spans;

  expect(written.attributes).toEqual([{ key: "value", value: expected }]);
});
