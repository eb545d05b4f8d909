/** What a receiver must make of a span, worked out from the span itself and OTLP's definitions, not by an encoder. */
import type { AnyValue, Attributes, HrTime, SpanContext } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { AttributeRecord, ReceivedSpan } from "../../../src/dev/received-span.ts";

/** In the order of the API's `SpanKind` and `SpanStatusCode`. */
const KINDS = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] as const;
const STATUS_CODES = ["UNSET", "OK", "ERROR"] as const;

/** OTLP, `SpanFlags`: whether it is known that a context is remote, and that it is. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

export type ExpectedSpan = Omit<ReceivedSpan, "requestIndex">;

export function expectedSpan(span: ReadableSpan): ExpectedSpan {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const { name, version = "" } = span.instrumentationScope;
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    traceState: traceState?.serialize() ?? "",
    flags: flagsOf(traceFlags, span.parentSpanContext),
    name: span.name,
    kind: KINDS[span.kind] ?? "UNSPECIFIED",
    startTimeUnixNano: nanosOf(span.startTime),
    endTimeUnixNano: nanosOf(span.endTime),
    attributes: receivedValues(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map((event) => ({
      name: event.name,
      timeUnixNano: nanosOf(event.time),
      attributes: receivedValues(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount ?? 0,
    })),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map(({ context, attributes, droppedAttributesCount }) => ({
      traceId: context.traceId,
      spanId: context.spanId,
      traceState: context.traceState?.serialize() ?? "",
      flags: flagsOf(context.traceFlags, context),
      attributes: receivedValues(attributes),
      droppedAttributesCount: droppedAttributesCount ?? 0,
    })),
    droppedLinksCount: span.droppedLinksCount,
    status: {
      code: STATUS_CODES[span.status.code],
      message: span.status.message ?? "",
    },
    resource: receivedValues(span.resource.attributes),
    scope: { name, version, attributes: {} },
  };
}

function flagsOf(traceFlags: number, remote: SpanContext | undefined): number {
  return traceFlags | HAS_IS_REMOTE | (remote?.isRemote === true ? IS_REMOTE : 0);
}

function nanosOf([seconds, nanos]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}

/** The API's values are the receiver's as they are, integers within ±2^53 given; bytes are Buffers there. */
function receivedValues(attributes: Attributes = {}): AttributeRecord {
  const entries = Object.entries(attributes).map(([key, value]) => [key, receivedValue(value)]);
  return Object.fromEntries(entries);
}

function receivedValue(value: AnyValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(receivedValue);
  return typeof value === "object" && value !== null ? receivedValues(value as Attributes) : value;
}
