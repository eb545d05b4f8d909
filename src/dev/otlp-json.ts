/** OTLP/JSON to the official definitions (OTLP specification, "JSON Protobuf Encoding"). */
import { tracesFromObject, type WireTraces } from "./otlp-definitions.ts";

const HEX = /^[0-9a-fA-F]*$/;

/**
 * Decodes an `ExportTraceServiceRequest` in OTLP's JSON mapping: ids in hex, enums as numbers,
 * keys in lowerCamelCase, unknown keys ignored. Throws on anything else.
 */
export function decodeTracesJson(bytes: Uint8Array): WireTraces {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const request: unknown = JSON.parse(text);
  if (!isObject(request)) throw new TypeError("the request is not a JSON object");
  return tracesFromObject({
    resourceSpans: list(request, "resourceSpans").map((entry) => ({
      ...entry,
      scopeSpans: list(entry, "scopeSpans").map((scopeSpans) => ({
        ...scopeSpans,
        spans: list(scopeSpans, "spans").map(toProtobufMapping),
      })),
    })),
  });
}

/** Protobuf's own JSON mapping differs from OTLP's in ids and enums only. */
function toProtobufMapping(span: JsonObject): JsonObject {
  requireNumber(span, "kind");
  const { status } = span;
  if (isObject(status)) requireNumber(status, "code");
  return {
    ...span,
    traceId: fromHex(span.traceId, "traceId"),
    spanId: fromHex(span.spanId, "spanId"),
    parentSpanId: fromHex(span.parentSpanId, "parentSpanId"),
    links: list(span, "links").map((link) => ({
      ...link,
      traceId: fromHex(link.traceId, "link traceId"),
      spanId: fromHex(link.spanId, "link spanId"),
    })),
  };
}

type JsonObject = Record<string, unknown>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(owner: JsonObject, key: string): JsonObject[] {
  const value = owner[key] ?? [];
  if (!Array.isArray(value) || !value.every(isObject)) {
    throw new TypeError(`${key} is not an array of objects`);
  }
  return value;
}

function fromHex(value: unknown, field: string): Uint8Array {
  if (value === undefined || value === null) return new Uint8Array();
  if (typeof value !== "string" || value.length % 2 !== 0 || !HEX.test(value)) {
    throw new TypeError(`${field} is not a hex string`);
  }
  return Buffer.from(value, "hex");
}

function requireNumber(owner: JsonObject, key: string): void {
  const value = owner[key];
  if (value !== undefined && !Number.isInteger(value)) {
    throw new TypeError(`enum ${key} is not an integer`);
  }
}
