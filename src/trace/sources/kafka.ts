import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { carrierFromKafkaHeaders } from "../carriers.ts";
import { batchesByDestination, recordLists } from "../messaging.ts";
import {
  COLDSPAN_EVENT_SOURCE_ARN,
  MESSAGING_DESTINATION_PARTITION_ID,
  MESSAGING_KAFKA_MESSAGE_KEY,
  MESSAGING_KAFKA_MESSAGE_TOMBSTONE,
  MESSAGING_KAFKA_OFFSET,
} from "../semconv.ts";
import { asObject, isObject, number, text } from "../shape.ts";
import type { EventDescription, EventObject, RecordDescription, Source } from "../source.ts";

/** Longest key that is decoded, in base64 characters; a longer one is no name to look for. */
const MAX_KEY_LENGTH = 1_024;

/** What a decoder writes for bytes that are no UTF-8. */
const REPLACEMENT = "\uFFFD";

/** Records of Amazon MSK and of self-managed Kafka: one batch per topic, lists by partition. */
export const kafka: Source = {
  name: "kafka",
  match: (event) =>
    (event.eventSource === "aws:kafka" || event.eventSource === "SelfManagedKafka") &&
    isObject(event.records),
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const attributes: Attributes = {};
  put(attributes, COLDSPAN_EVENT_SOURCE_ARN, text(event.eventSourceArn));
  const lists = recordLists(event.records);
  const batches = batchesByDestination(lists, "kafka", topicOf, describeRecord);
  return { trigger: "pubsub", attributes, batches };
}

/** Keys are `{topic}-{partition}`; the records name their topic themselves. */
function topicOf(key: string, records: readonly unknown[]): string | undefined {
  const dash = key.lastIndexOf("-");
  return text(asObject(records[0]).topic) ?? text(dash > 0 ? key.slice(0, dash) : key);
}

function describeRecord(record: unknown): RecordDescription {
  const message = asObject(record);
  const topic = text(message.topic);
  const partition = number(message.partition);
  const offset = number(message.offset);
  const attributes: Attributes = {};
  if (partition !== undefined) attributes[MESSAGING_DESTINATION_PARTITION_ID] = String(partition);
  put(attributes, MESSAGING_KAFKA_OFFSET, offset);
  put(attributes, MESSAGING_KAFKA_MESSAGE_KEY, decodeMessageKey(message.key));
  if (message.value === null || message.value === undefined) {
    attributes[MESSAGING_KAFKA_MESSAGE_TOMBSTONE] = true;
  }
  const group =
    topic === undefined || partition === undefined ? undefined : `${topic}-${partition}`;
  const named = group !== undefined && offset !== undefined;
  return {
    messageId: undefined,
    attributes,
    carrier: carrierFromKafkaHeaders(message.headers),
    sentAtMs: number(message.timestamp),
    itemIdentifier: named ? { partition: group, offset } : undefined,
    group,
  };
}

/** A binary key stays in base64: the attribute wants some text that stands for it. */
function decodeMessageKey(key: unknown): string | undefined {
  if (typeof key !== "string" || key === "" || key.length > MAX_KEY_LENGTH) return undefined;
  const decoded = Buffer.from(key, "base64").toString("utf8");
  return decoded === "" || decoded.includes(REPLACEMENT) ? key : decoded;
}
