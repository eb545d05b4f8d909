/** Trace context of one request or message: from every shape AWS delivers it in to one flat carrier. */
import { headerText, MAX_VALUE_LENGTH, pickFields, plainText, wanted } from "./fields.ts";
import { asObject, isObject, parseObject } from "./shape.ts";
import type { Carrier } from "./source.ts";

/** The fields that the propagators of `OTEL_PROPAGATORS` read; nothing else is copied. */
const CONTEXT = wanted(
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
);

/** Base64 characters of a stream record that is looked into: 3 KiB of payload, decoded in ~3 µs. */
const MAX_PAYLOAD_LENGTH = 4_096;

/** The context in HTTP headers of any shape and letter case. */
export function carrierFromHeaders(headers: unknown): Carrier | undefined {
  return pickFields(headers, CONTEXT, headerText);
}

/**
 * The context in message attributes: `{ stringValue }` as SQS delivers them, `{ StringValue }` as its
 * API does, `{ Type, Value }` as SNS does. Binary values are not read.
 */
export function carrierFromMessageAttributes(attributes: unknown): Carrier | undefined {
  return pickFields(attributes, CONTEXT, attributeText);
}

/** The context in a map of plain texts: ActiveMQ properties, a Lambda client context. */
export function carrierFromTexts(texts: unknown): Carrier | undefined {
  return pickFields(texts, CONTEXT, plainText);
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
  let carrier: Carrier | undefined;
  for (const header of headers) {
    const field = pickFields(header, CONTEXT, bytesText);
    if (field !== undefined) carrier = { ...carrier, ...field };
  }
  return carrier;
}

/** The context in RabbitMQ's headers: name → text, or name → `{ bytes }`. */
export function carrierFromRabbitHeaders(headers: unknown): Carrier | undefined {
  return pickFields(headers, CONTEXT, rabbitText);
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
