import type { Attributes } from "@opentelemetry/api";
import { type Arn, parseArn } from "../arn.ts";
import { put } from "../attributes.ts";
import { carrierFromMessageAttributes, withTraceHeader } from "../carriers.ts";
import { readEnvelope } from "../envelopes.ts";
import { batchOf, MAX_DESTINATIONS } from "../messaging.ts";
import {
  AWS_SQS_QUEUE_URL,
  COLDSPAN_MESSAGE_DEAD_LETTER_SOURCE,
  COLDSPAN_MESSAGE_DEDUPLICATION_ID,
  COLDSPAN_MESSAGE_GROUP_ID,
  COLDSPAN_MESSAGE_RECEIVE_COUNT,
  MESSAGING_MESSAGE_ID,
} from "../semconv.ts";
import { asObject, firstRecord, number, recordsOf, text } from "../shape.ts";
import type { Batch, EventDescription, EventObject, RecordDescription, Source } from "../source.ts";

const SYSTEM = "aws_sqs";

/** Domain of a partition's endpoints (AWS General Reference); others get no queue URL. */
const DOMAINS: ReadonlyMap<string, string> = new Map([
  ["aws", "amazonaws.com"],
  ["aws-us-gov", "amazonaws.com"],
  ["aws-cn", "amazonaws.com.cn"],
]);

/** Messages of an SQS queue, whatever put them there. */
export const sqs: Source = {
  name: "sqs",
  match: (event) => firstRecord(event).eventSource === "aws:sqs",
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const records = recordsOf(event) ?? [];
  return { trigger: "pubsub", attributes: {}, batches: describeBatches(records) };
}

function describeBatches(records: readonly unknown[]): readonly Batch[] {
  const first = queueArn(records[0]);
  if (records.every((record) => queueArn(record) === first)) return [describeBatch(records, first)];
  const queues = new Set(records.map(queueArn));
  if (queues.size > MAX_DESTINATIONS) return [describeBatch(records, undefined)];
  return Array.from(queues, (queue) => ({
    ...describeBatch(records, queue),
    owns: (record: unknown) => queueArn(record) === queue,
  }));
}

function queueArn(record: unknown): string | undefined {
  return text(asObject(record).eventSourceARN);
}

function describeBatch(records: readonly unknown[], queue: string | undefined): Batch {
  const arn = parseArn(queue);
  const batch = batchOf(SYSTEM, arn?.resource, [records], describeRecord);
  put(batch.attributes, AWS_SQS_QUEUE_URL, arn && queueUrl(arn));
  return batch;
}

function queueUrl({ partition, region, account, resource }: Arn): string | undefined {
  const domain = DOMAINS.get(partition);
  return domain && `https://sqs.${region}.${domain}/${account}/${resource}`;
}

function describeRecord(record: unknown): RecordDescription {
  const message = asObject(record);
  const system = asObject(message.attributes);
  const messageId = text(message.messageId);
  const attributes = describeMessage(messageId, system);
  const enveloped = readEnvelope(message.body, attributes);
  const carrier = carrierFromMessageAttributes(message.messageAttributes) ?? enveloped;
  return {
    messageId,
    attributes,
    carrier: withTraceHeader(carrier, system.AWSTraceHeader),
    sentAtMs: number(system.SentTimestamp),
    itemIdentifier: message.messageId,
    group: isFifo(message) ? text(system.MessageGroupId) : undefined,
  };
}

function describeMessage(messageId: string | undefined, system: EventObject): Attributes {
  const attributes: Attributes = {};
  put(attributes, MESSAGING_MESSAGE_ID, messageId);
  put(attributes, COLDSPAN_MESSAGE_RECEIVE_COUNT, number(system.ApproximateReceiveCount));
  put(attributes, COLDSPAN_MESSAGE_GROUP_ID, text(system.MessageGroupId));
  put(attributes, COLDSPAN_MESSAGE_DEDUPLICATION_ID, text(system.MessageDeduplicationId));
  put(attributes, COLDSPAN_MESSAGE_DEAD_LETTER_SOURCE, text(system.DeadLetterQueueSourceArn));
  return attributes;
}

/** Standard queues have message groups too (fair queues), but these keep no order. */
function isFifo(message: EventObject): boolean {
  const arn = message.eventSourceARN;
  return typeof arn === "string" && arn.endsWith(".fifo");
}
