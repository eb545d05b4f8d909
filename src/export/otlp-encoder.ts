/**
 * Spans as a protobuf `ExportTraceServiceRequest` (opentelemetry-proto 1.11).
 * Decodes to the same as the stock serializer's at a fraction of its CPU, and gives bytes, not objects, to collect.
 */
import type { HrTime, Link, SpanContext } from "@opentelemetry/api";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace";
import { writeAttributes } from "./otlp-attributes.ts";
import { BYTES, FIXED32, FIXED64, ProtobufWriter, VARINT } from "./protobuf-writer.ts";
import { flagsOf, groupSpans, type Resource, type Scope } from "./span-groups.ts";

/** First guess of the bytes per span; a small span with six attributes and a link has 370. */
const EXPECTED_SPAN_BYTES = 512;

/** A resource is the same for a process's whole life, so its bytes are kept. */
const encodedResources: WeakMap<Resource, Uint8Array> = new WeakMap();

/** One request with the spans grouped by resource and scope, in their order. */
export function encodeTraces(spans: readonly ReadableSpan[]): Uint8Array {
  const writer = new ProtobufWriter(spans.length * EXPECTED_SPAN_BYTES + EXPECTED_SPAN_BYTES);
  for (const [resource, scopes] of groupSpans(spans).reverse()) {
    const { mark } = writer;
    if (resource.schemaUrl) writer.text(resource.schemaUrl, 3 * 8 + BYTES);
    for (const [scope, scopeSpans] of [...scopes].reverse()) {
      writeScopeSpans(writer, scope, scopeSpans);
    }
    writer.raw(encodeResource(resource));
    writer.close(mark, 1 * 8 + BYTES);
  }
  return writer.finish();
}

/** `ResourceSpans.resource`, tag and length included. */
function encodeResource(resource: Resource): Uint8Array {
  const known = encodedResources.get(resource);
  if (known !== undefined) return known;
  const writer = new ProtobufWriter(1024);
  writeAttributes(writer, resource.attributes, 1 * 8 + BYTES);
  writer.close(0, 1 * 8 + BYTES);
  const encoded = writer.finish();
  if (resource.asyncAttributesPending !== true) encodedResources.set(resource, encoded);
  return encoded;
}

function writeScopeSpans(
  writer: ProtobufWriter,
  scope: Scope,
  spans: readonly ReadableSpan[],
): void {
  const { mark } = writer;
  if (scope.schemaUrl) writer.text(scope.schemaUrl, 3 * 8 + BYTES);
  for (let index = spans.length - 1; index >= 0; index--) {
    const span = spans[index];
    if (span !== undefined) writeSpan(writer, span);
  }
  const scopeMark = writer.mark;
  if (scope.version) writer.text(scope.version, 2 * 8 + BYTES);
  writer.text(scope.name, 1 * 8 + BYTES);
  writer.close(scopeMark, 1 * 8 + BYTES);
  writer.close(mark, 2 * 8 + BYTES);
}

function writeSpan(writer: ProtobufWriter, span: ReadableSpan): void {
  const { mark } = writer;
  const context = span.spanContext();
  const parent = span.parentSpanContext;
  writeFlags(writer, context.traceFlags, parent?.isRemote, 16 * 8 + FIXED32);
  writeStatus(writer, span);
  writeCount(writer, span.droppedLinksCount, 14 * 8 + VARINT);
  for (let index = span.links.length - 1; index >= 0; index--) {
    const link = span.links[index];
    if (link !== undefined) writeLink(writer, link);
  }
  writeCount(writer, span.droppedEventsCount, 12 * 8 + VARINT);
  for (let index = span.events.length - 1; index >= 0; index--) {
    const event = span.events[index];
    if (event !== undefined) writeEvent(writer, event);
  }
  writeCount(writer, span.droppedAttributesCount, 10 * 8 + VARINT);
  writeAttributes(writer, span.attributes, 9 * 8 + BYTES);
  writeTime(writer, span.endTime, 8 * 8 + FIXED64);
  writeTime(writer, span.startTime, 7 * 8 + FIXED64);
  writeCount(writer, span.kind + 1, 6 * 8 + VARINT);
  writer.text(span.name, 5 * 8 + BYTES);
  if (parent?.spanId) writer.hex(parent.spanId, 4 * 8 + BYTES);
  writeIds(writer, context);
  writer.close(mark, 2 * 8 + BYTES);
}

function writeLink(writer: ProtobufWriter, link: Link): void {
  const { mark } = writer;
  writeFlags(writer, link.context.traceFlags, link.context.isRemote, 6 * 8 + FIXED32);
  writeCount(writer, link.droppedAttributesCount ?? 0, 5 * 8 + VARINT);
  if (link.attributes !== undefined) writeAttributes(writer, link.attributes, 4 * 8 + BYTES);
  writeIds(writer, link.context);
  writer.close(mark, 13 * 8 + BYTES);
}

/** Fields 1 to 3 of spans and links alike: trace id, span id, trace state. */
function writeIds(writer: ProtobufWriter, context: SpanContext): void {
  const traceState = context.traceState?.serialize();
  if (traceState) writer.text(traceState, 3 * 8 + BYTES);
  writer.hex(context.spanId, 2 * 8 + BYTES);
  writer.hex(context.traceId, 1 * 8 + BYTES);
}

function writeEvent(writer: ProtobufWriter, event: TimedEvent): void {
  const { mark } = writer;
  writeCount(writer, event.droppedAttributesCount ?? 0, 4 * 8 + VARINT);
  if (event.attributes !== undefined) writeAttributes(writer, event.attributes, 3 * 8 + BYTES);
  writer.text(event.name, 2 * 8 + BYTES);
  writeTime(writer, event.time, 1 * 8 + FIXED64);
  writer.close(mark, 11 * 8 + BYTES);
}

function writeStatus(writer: ProtobufWriter, { status }: ReadableSpan): void {
  const { mark } = writer;
  writeCount(writer, status.code, 3 * 8 + VARINT);
  if (status.message) writer.text(status.message, 2 * 8 + BYTES);
  writer.close(mark, 15 * 8 + BYTES);
}

function writeFlags(
  writer: ProtobufWriter,
  traceFlags: number,
  isRemote: boolean | undefined,
  tag: number,
): void {
  writer.fixed32(flagsOf(traceFlags, isRemote));
  writer.varint(tag);
}

function writeTime(writer: ProtobufWriter, time: HrTime, tag: number): void {
  writer.nanoseconds(time[0], time[1]);
  writer.varint(tag);
}

/** Zero is what an absent field means. */
function writeCount(writer: ProtobufWriter, count: number, tag: number): void {
  if (count === 0) return;
  writer.varint(count);
  writer.varint(tag);
}
