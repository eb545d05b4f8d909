/** Trace context of one request or message: from every shape AWS delivers it in to one flat carrier. */
import { asObject, isObject, parseObject } from "./shape.ts";
import type { Carrier, EventObject } from "./source.ts";

/** The fields that the propagators of `OTEL_PROPAGATORS` read; nothing else is copied. */
const FIELDS: ReadonlySet<string> = new Set([
  "traceparent",
  "tracestate",
  "baggage",
  "b3",
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
  "x-amzn-trace-id",
]);

/** `x-b3-parentspanid`: a longer name is no field, and is not lower-cased to find that out. */
const MAX_NAME_LENGTH = 17;

/** W3C Baggage §3.3.2 lets a baggage of up to 8,192 bytes through; no other field is longer. */
const MAX_VALUE_LENGTH = 8_192;

/** Base64 characters of a stream record that is looked into: 3 KiB of payload, decoded in ~2 µs. */
const MAX_PAYLOAD_LENGTH = 4_096;

/** Reads a field's value out of its shape. */
type ReadValue = (value: unknown) => string | undefined;

/** A carrier that is being filled. */
type OpenCarrier = Record<string, string>;

/**
 * The context in HTTP headers of any shape: name → text, name → list of texts (multi-value headers,
 * VPC Lattice) or name → list of `{ value }` (CloudFront). Repeated headers join with commas (RFC 9110 §5.3).
 */
export function carrierFromHeaders(headers: unknown): Carrier | undefined {
  return collect(headers, headerText);
}

/**
 * The context in message attributes: `{ stringValue }` as SQS delivers them, `{ StringValue }` as its
 * API does, `{ Type, Value }` as SNS does. Binary values are not read.
 */
export function carrierFromMessageAttributes(attributes: unknown): Carrier | undefined {
  return collect(attributes, attributeText);
}

/** The context in a map of plain texts: ActiveMQ properties, a Lambda client context. */
export function carrierFromTexts(texts: unknown): Carrier | undefined {
  return collect(texts, plainText);
}

/**
 * The context in a JSON payload: its own fields, else those under `metadata`
 * (the envelope `{ metadata, data }` common on EventBridge).
 */
export function carrierFromPayload(payload: unknown): Carrier | undefined {
  return carrierFromTexts(payload) ?? carrierFromTexts(asObject(payload).metadata);
}

/** The context in a base64 JSON payload (Kinesis) of at most 3 KiB; others are not decoded. */
export function carrierFromBase64Json(data: unknown): Carrier | undefined {
  if (typeof data !== "string" || data.length > MAX_PAYLOAD_LENGTH) return undefined;
  // `{`, with which a JSON object starts, is always `e` in base64.
  if (data.charCodeAt(0) !== 0x65) return undefined;
  const json = Buffer.from(data, "base64").toString("utf8");
  if (!mentionsContext(json)) return undefined;
  return carrierFromPayload(parseObject(json));
}

/** The context in Kafka's headers: a list of `{ name: bytes }`, the bytes signed (−128 … 127). */
export function carrierFromKafkaHeaders(headers: unknown): Carrier | undefined {
  if (!Array.isArray(headers)) return undefined;
  const carrier: OpenCarrier = {};
  let found = false;
  for (const header of headers) {
    if (isObject(header) && copyFields(header, bytesText, carrier)) found = true;
  }
  return found ? carrier : undefined;
}

/** The context in RabbitMQ's headers: name → text, or name → `{ bytes }`. */
export function carrierFromRabbitHeaders(headers: unknown): Carrier | undefined {
  return collect(headers, rabbitText);
}

/** The context that a direct invocation carries: `context.clientContext.custom` (or `Custom`). */
export function carrierFromClientContext(clientContext: unknown): Carrier | undefined {
  const { custom, Custom } = asObject(clientContext);
  return carrierFromTexts(custom) ?? carrierFromTexts(Custom);
}

/** Adds X-Ray's header (SQS's `AWSTraceHeader`), which wins over one among the attributes. */
export function withTraceHeader(
  carrier: Carrier | undefined,
  header: unknown,
): Carrier | undefined {
  const value = plainText(header);
  if (value === undefined) return carrier;
  return { ...carrier, "x-amzn-trace-id": value };
}

function collect(fields: unknown, read: ReadValue): Carrier | undefined {
  if (!isObject(fields)) return undefined;
  const carrier: OpenCarrier = {};
  return copyFields(fields, read, carrier) ? carrier : undefined;
}

function copyFields(fields: EventObject, read: ReadValue, carrier: OpenCarrier): boolean {
  let found = false;
  for (const name of Object.keys(fields)) {
    const field = fieldName(name);
    if (field === undefined) continue;
    const value = read(fields[name]);
    if (value === undefined) continue;
    carrier[field] = value;
    found = true;
  }
  return found;
}

function fieldName(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const field = name.toLowerCase();
  return FIELDS.has(field) ? field : undefined;
}

function plainText(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "" || value.length > MAX_VALUE_LENGTH)
    return undefined;
  return value;
}

function headerText(value: unknown): string | undefined {
  if (!Array.isArray(value)) return plainText(value);
  let joined: string | undefined;
  for (const item of value) {
    const part = plainText(isObject(item) ? item.value : item);
    if (part === undefined) continue;
    joined = joined === undefined ? part : `${joined},${part}`;
    if (joined.length > MAX_VALUE_LENGTH) return undefined;
  }
  return joined;
}

function attributeText(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const snsText = value.Type === "Binary" ? undefined : value.Value;
  return plainText(value.stringValue ?? value.StringValue ?? snsText);
}

function rabbitText(value: unknown): string | undefined {
  return isObject(value) ? bytesText(value.bytes) : plainText(value);
}

/** Field values are ASCII, so that each byte is one character. */
function bytesText(bytes: unknown): string | undefined {
  if (!Array.isArray(bytes) || bytes.length > MAX_VALUE_LENGTH) return undefined;
  let value = "";
  for (const byte of bytes) {
    if (typeof byte !== "number") return undefined;
    value += String.fromCharCode(byte & 0xff);
  }
  return value === "" ? undefined : value;
}

/** True when a JSON text can hold a field: one substring search each instead of a parse. */
function mentionsContext(json: string): boolean {
  return (
    json.includes("traceparent") ||
    json.includes("x-amzn-trace-id") ||
    json.includes('"b3"') ||
    json.includes("x-b3-")
  );
}
