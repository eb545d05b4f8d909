/** Messages of other AWS services inside a queue message's body: SNS, EventBridge, S3. */
import type { Attributes } from "@opentelemetry/api";
import { put } from "./attributes.ts";
import { carrierFromMessageAttributes, carrierFromPayload } from "./carriers.ts";
import { decodeKey } from "./s3-key.ts";
import {
  AWS_S3_BUCKET,
  AWS_S3_KEY,
  AWS_SNS_TOPIC_ARN,
  COLDSPAN_EVENT_PUBLISHER,
  COLDSPAN_EVENT_TYPE,
} from "./semconv.ts";
import { asObject, parseObject, recordsOf, text } from "./shape.ts";
import type { Carrier, EventObject } from "./source.ts";

/** Longest body that is parsed, in characters: SQS's largest message (1 MiB); a whole event has 6 MB. */
const MAX_BODY_LENGTH = 1_048_576;

/** AWS writes what tells an envelope within its first ~300 characters. */
const HEAD_LENGTH = 1_024;

/** SNS may hold an EventBridge or S3 event, and these hold nothing. */
const MAX_DEPTH = 2;

const OPENING_BRACE = 0x7b;

/**
 * Reads what a body's envelope says: sets `attributes`, answers the context it carries.
 * A body that is no envelope costs one look at its first character, or three substring searches in 1 KiB.
 */
export function readEnvelope(body: unknown, attributes: Attributes): Carrier | undefined {
  return readNested(body, attributes, 1);
}

function readNested(body: unknown, attributes: Attributes, depth: number): Carrier | undefined {
  if (typeof body !== "string" || !looksLikeEnvelope(body)) return undefined;
  const envelope = parseObject(body);
  if (envelope === undefined) return undefined;
  if (typeof envelope.TopicArn === "string") return readSns(envelope, attributes, depth);
  if (typeof envelope["detail-type"] === "string") return readEventBridge(envelope, attributes);
  readS3(envelope, attributes);
  return undefined;
}

function looksLikeEnvelope(body: string): boolean {
  if (body.charCodeAt(0) !== OPENING_BRACE || body.length > MAX_BODY_LENGTH) return false;
  const head = body.length > HEAD_LENGTH ? body.slice(0, HEAD_LENGTH) : body;
  return head.includes('"TopicArn"') || head.includes('"detail-type"') || head.includes('"aws:s3"');
}

function readSns(
  envelope: EventObject,
  attributes: Attributes,
  depth: number,
): Carrier | undefined {
  put(attributes, AWS_SNS_TOPIC_ARN, text(envelope.TopicArn));
  const inner = depth < MAX_DEPTH ? readNested(envelope.Message, attributes, depth + 1) : undefined;
  return carrierFromMessageAttributes(envelope.MessageAttributes) ?? inner;
}

function readEventBridge(envelope: EventObject, attributes: Attributes): Carrier | undefined {
  putEventBridge(attributes, envelope);
  return carrierFromPayload(envelope.detail);
}

/** What an EventBridge event is about; S3's own events name their object, not encoded here. */
export function putEventBridge(attributes: Attributes, event: EventObject): void {
  put(attributes, COLDSPAN_EVENT_TYPE, text(event["detail-type"]));
  put(attributes, COLDSPAN_EVENT_PUBLISHER, text(event.source));
  if (event.source !== "aws.s3") return;
  const { bucket, object } = asObject(event.detail);
  put(attributes, AWS_S3_BUCKET, text(asObject(bucket).name));
  put(attributes, AWS_S3_KEY, text(asObject(object).key));
}

/** One S3 event may hold several records: the key is named only when there is one. */
function readS3(envelope: EventObject, attributes: Attributes): void {
  const records = recordsOf(envelope);
  if (records === undefined) return;
  const { bucket, object } = asObject(asObject(records[0]).s3);
  put(attributes, AWS_S3_BUCKET, text(asObject(bucket).name));
  if (records.length === 1) put(attributes, AWS_S3_KEY, decodeKey(asObject(object).key));
}
