import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { carrierFromRabbitHeaders, carrierFromTexts } from "../carriers.ts";
import { batchesByDestination, batchOf, recordLists } from "../messaging.ts";
import {
  COLDSPAN_EVENT_SOURCE_ARN,
  MESSAGING_MESSAGE_CONVERSATION_ID,
  MESSAGING_MESSAGE_ID,
} from "../semconv.ts";
import { asObject, common, isObject, number, text } from "../shape.ts";
import type { Batch, EventDescription, EventObject, RecordDescription, Source } from "../source.ts";

/** Messages of Amazon MQ: ActiveMQ's `messages`, or RabbitMQ's by queue and virtual host. */
export const amazonMq: Source = {
  name: "amazon-mq",
  match: (event) =>
    (event.eventSource === "aws:mq" && Array.isArray(event.messages)) ||
    (event.eventSource === "aws:rmq" && isObject(event.rmqMessagesByQueue)),
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const attributes: Attributes = {};
  put(attributes, COLDSPAN_EVENT_SOURCE_ARN, text(event.eventSourceArn));
  const { messages } = event;
  const batches = Array.isArray(messages)
    ? [activeMqBatch(messages)]
    : batchesByDestination(
        recordLists(event.rmqMessagesByQueue),
        "rabbitmq",
        queueOf,
        describeRabbitMq,
      );
  return { trigger: "pubsub", attributes, batches };
}

function activeMqBatch(messages: readonly unknown[]): Batch {
  const queue = common(messages, (message) => text(asObject(message.destination).physicalName));
  return batchOf("activemq", queue, [messages], describeActiveMq);
}

/** `orders::/` is queue and virtual host. */
function queueOf(key: string): string | undefined {
  const separator = key.indexOf("::");
  return text(separator === -1 ? key : key.slice(0, separator));
}

function describeActiveMq(record: unknown): RecordDescription {
  const { messageID, correlationID, correlationId, properties, timestamp } = asObject(record);
  return describeMessage(
    text(messageID),
    text(correlationID) ?? text(correlationId),
    carrierFromTexts(properties),
    number(timestamp),
  );
}

/** RabbitMQ's timestamp arrives as a local text without a zone (`Jan 1, 1970, 12:33:41 AM`): of no use. */
function describeRabbitMq(record: unknown): RecordDescription {
  const { messageId, correlationId, headers } = asObject(asObject(record).basicProperties);
  return describeMessage(
    text(messageId),
    text(correlationId),
    carrierFromRabbitHeaders(headers),
    undefined,
  );
}

function describeMessage(
  messageId: string | undefined,
  conversationId: string | undefined,
  carrier: RecordDescription["carrier"],
  sentAtMs: number | undefined,
): RecordDescription {
  const attributes: Attributes = {};
  put(attributes, MESSAGING_MESSAGE_ID, messageId);
  put(attributes, MESSAGING_MESSAGE_CONVERSATION_ID, conversationId);
  return {
    messageId,
    attributes,
    carrier,
    sentAtMs,
    itemIdentifier: undefined,
    group: undefined,
  };
}
