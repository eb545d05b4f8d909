/** Spans that no one would write by hand, for properties that must hold of all spans. */
import { createTraceState } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";

const text = fc.oneof(
  fc.string({ unit: "grapheme-ascii", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 80 }),
  fc.constantFrom("", "größe", "日本語", "🚀".repeat(40), "half \ud800 pair", "x".repeat(20_000)),
);
const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, 127, 128, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 60, -(2 ** 63), 2 ** 63, 1e300),
);

const { attributes } = fc.letrec<{ attributes: Record<string, unknown>; value: unknown }>(
  (tie) => ({
    attributes: fc.dictionary(key, tie("value"), { maxKeys: 6, depthIdentifier: "value" }),
    value: fc.oneof(
      { depthIdentifier: "value", maxDepth: 3 },
      text,
      number,
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie("value"), { maxLength: 4, depthIdentifier: "value" }),
      tie("attributes"),
    ),
  }),
);

const context = fc.record({
  traceId: hex(32),
  spanId: hex(16),
  traceFlags: fc.nat(255),
  isRemote: fc.option(fc.boolean(), { nil: undefined }),
  traceState: fc.constantFrom(
    undefined,
    createTraceState("vendor=1,other=abc"),
    createTraceState(),
  ),
});

function hex(digits: number): fc.Arbitrary<string> {
  const digit = fc.constantFrom(..."0123456789abcdef");
  return fc.array(digit, { minLength: digits, maxLength: digits }).map((all) => all.join(""));
}

const time = fc.tuple(
  fc.nat(2 ** 31 - 1).map((half) => half * 2),
  fc.nat(999_999_999),
);
const dropped = fc.oneof(fc.constant(0), fc.nat());

const link = fc.record(
  { context, attributes, droppedAttributesCount: dropped },
  { requiredKeys: ["context"] },
);
const event = fc.record(
  { time, name: text, attributes, droppedAttributesCount: dropped },
  { requiredKeys: ["time", "name"] },
);

const resources = [
  resourceFromAttributes({ "service.name": "shop", "aws.log.group.names": ["/a", "/b"] }),
  resourceFromAttributes({ "service.name": "größe" }, { schemaUrl: "https://example/schema" }),
  resourceFromAttributes({}),
];
const scopes = [
  { name: "coldspan", version: "1.2.3", schemaUrl: "https://example/scope" },
  { name: "", version: "" },
  { name: "other" },
];

/** One finished span with anything OTLP can say in it. */
export const arbitrarySpan: fc.Arbitrary<ReadableSpan> = fc
  .record({
    context,
    parentSpanContext: fc.option(context, { nil: undefined }),
    name: text,
    kind: fc.nat(4),
    startTime: time,
    endTime: time,
    status: fc.record({ code: fc.nat(2), message: fc.option(text, { nil: undefined }) }),
    attributes,
    links: fc.array(link, { maxLength: 4 }),
    events: fc.array(event, { maxLength: 4 }),
    resource: fc.constantFrom(...resources),
    instrumentationScope: fc.constantFrom(...scopes),
    droppedAttributesCount: dropped,
    droppedEventsCount: dropped,
    droppedLinksCount: dropped,
  })
  .map(({ context: own, ...rest }) => {
    const span = { ...rest, spanContext: () => own, duration: [0, 0], ended: true };
    return span as unknown as ReadableSpan;
  });
