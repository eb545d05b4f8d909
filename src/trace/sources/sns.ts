import type { Attributes } from "@opentelemetry/api";
import { parseArn } from "../arn.ts";
import { put } from "../attributes.ts";
import { carrierFromMessageAttributes } from "../carriers.ts";
import { readEnvelope } from "../envelopes.ts";
import { batchOf } from "../messaging.ts";
import { AWS_SNS_TOPIC_ARN, MESSAGING_MESSAGE_ID } from "../semconv.ts";
import { asObject, common, firstRecord, isObject, isoTimeMs, recordsOf, text } from "../shape.ts";
import type { EventDescription, EventObject, RecordDescription, Source } from "../source.ts";

/** Notifications of an SNS topic that invokes the function itself. */
export const sns: Source = {
  name: "sns",
  match: (event) => {
    const record = firstRecord(event);
    return record.EventSource === "aws:sns" && isObject(record.Sns);
  },
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const records = recordsOf(event) ?? [];
  const topic = common(records, (record) => text(asObject(record.Sns).TopicArn));
  const batch = batchOf("aws.sns", parseArn(topic)?.resource, [records], describeRecord);
  put(batch.attributes, AWS_SNS_TOPIC_ARN, topic);
  return { trigger: "pubsub", attributes: {}, batches: [batch] };
}

function describeRecord(record: unknown): RecordDescription {
  const notification = asObject(asObject(record).Sns);
  const messageId = text(notification.MessageId);
  const attributes: Attributes = {};
  put(attributes, MESSAGING_MESSAGE_ID, messageId);
  const enveloped = readEnvelope(notification.Message, attributes);
  return {
    messageId,
    attributes,
    carrier: carrierFromMessageAttributes(notification.MessageAttributes) ?? enveloped,
    sentAtMs: isoTimeMs(notification.Timestamp),
    itemIdentifier: undefined,
    group: undefined,
  };
}
