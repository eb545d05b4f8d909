/**
 * Spans as OTLP's JSON (OTLP specification, "JSON Protobuf Encoding"). The stock serializer writes
 * `null` for NaN and infinities and rounds large integers; receivers refuse the whole request for one.
 */
import type { Attributes, HrTime, Link, SpanContext } from "@opentelemetry/api";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace";
import { isInt64 } from "./otlp-attributes.ts";
import { flagsOf, groupSpans } from "./span-groups.ts";

const NANOS_PER_SECOND = 1_000_000_000n;

type Json = Readonly<Record<string, unknown>>;

/** One request with the spans grouped by resource and scope, in their order. */
export function encodeTracesJson(spans: readonly ReadableSpan[]): Uint8Array {
  const resourceSpans = groupSpans(spans).map(([resource, scopes]) => ({
    resource: { attributes: toKeyValues(resource.attributes) },
    scopeSpans: Array.from(scopes, ([{ name, version, schemaUrl }, group]) => ({
      scope: { name, version },
      spans: group.map(toSpan),
      schemaUrl,
    })),
    schemaUrl: resource.schemaUrl,
  }));
  return Buffer.from(JSON.stringify({ resourceSpans }, wellFormed));
}

/** Half a surrogate pair is no character: JSON would escape it, and receivers refuse the request. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}

function toSpan(span: ReadableSpan): Json {
  const { parentSpanContext: parent, status } = span;
  const context = span.spanContext();
  return {
    ...toIds(context),
    parentSpanId: parent?.spanId,
    flags: flagsOf(context.traceFlags, parent?.isRemote),
    name: span.name,
    kind: span.kind + 1,
    startTimeUnixNano: toNanos(span.startTime),
    endTimeUnixNano: toNanos(span.endTime),
    attributes: toKeyValues(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map(toEvent),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map(toLink),
    droppedLinksCount: span.droppedLinksCount,
    status: { code: status.code, message: status.message },
  };
}

function toEvent({ time, name, attributes = {}, droppedAttributesCount = 0 }: TimedEvent): Json {
  return {
    timeUnixNano: toNanos(time),
    name,
    attributes: toKeyValues(attributes),
    droppedAttributesCount,
  };
}

function toLink({ context, attributes = {}, droppedAttributesCount = 0 }: Link): Json {
  return {
    ...toIds(context),
    flags: flagsOf(context.traceFlags, context.isRemote),
    attributes: toKeyValues(attributes),
    droppedAttributesCount,
  };
}

function toIds({ traceId, spanId, traceState }: SpanContext): Json {
  return { traceId, spanId, traceState: traceState?.serialize() || undefined };
}

function toKeyValues(attributes: Attributes): Json[] {
  return Object.keys(attributes).map((key) => ({ key, value: toAnyValue(attributes[key]) }));
}

/** What OTLP has no type for is an empty value. */
function toAnyValue(value: unknown): Json {
  switch (typeof value) {
    case "string":
      return { stringValue: value };
    case "boolean":
      return { boolValue: value };
    case "number":
      return toNumber(value);
    case "object":
      return value === null ? {} : toComposite(value);
    default:
      return {};
  }
}

/** Integers are texts, and so are the doubles that JSON has no number for (proto3 JSON mapping). */
function toNumber(value: number): Json {
  if (isInt64(value)) return { intValue: BigInt(value).toString() };
  return { doubleValue: Number.isFinite(value) ? value : String(value) };
}

function toComposite(value: object): Json {
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toAnyValue) } };
  return { kvlistValue: { values: toKeyValues(value as Attributes) } };
}

function toNanos([seconds, nanos]: HrTime): string {
  return (BigInt(seconds) * NANOS_PER_SECOND + BigInt(nanos)).toString();
}
