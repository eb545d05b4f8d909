import type { Attributes } from "@opentelemetry/api";
import { parseArn, resourceName } from "../arn.ts";
import { put } from "../attributes.ts";
import { carrierFromBase64Json } from "../carriers.ts";
import { batchOf, endsWindow } from "../messaging.ts";
import {
  AWS_KINESIS_STREAM_NAME,
  COLDSPAN_MESSAGE_PARTITION_KEY,
  COLDSPAN_MESSAGE_SEQUENCE_NUMBER,
  MESSAGING_DESTINATION_PARTITION_ID,
  MESSAGING_MESSAGE_ID,
} from "../semconv.ts";
import { asObject, common, firstRecord, isObject, recordsOf, secondsToMs, text } from "../shape.ts";
import type { EventDescription, EventObject, RecordDescription, Source } from "../source.ts";

/** Records of a Kinesis data stream, tumbling windows included. */
export const kinesis: Source = {
  name: "kinesis",
  match: (event) => {
    const record = firstRecord(event);
    return (
      record.eventSource === "aws:kinesis" ||
      isObject(record.kinesis) ||
      endsWindow(event, "kinesis")
    );
  },
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const records = recordsOf(event) ?? [];
  if (records.length === 0) return { trigger: "pubsub", attributes: {}, batches: [] };
  const stream = resourceName(parseArn(common(records, (record) => text(record.eventSourceARN))));
  const batch = batchOf("aws.kinesis", stream, [records], describeRecord);
  put(batch.attributes, AWS_KINESIS_STREAM_NAME, stream);
  return { trigger: "pubsub", attributes: {}, batches: [batch] };
}

function describeRecord(record: unknown): RecordDescription {
  const envelope = asObject(record);
  const { eventID, eventSourceARN } = envelope;
  // EventBridge Pipes puts the payload's fields beside the envelope's.
  const data = isObject(envelope.kinesis) ? envelope.kinesis : envelope;
  const messageId = text(eventID);
  const shard = shardOf(messageId);
  const attributes: Attributes = {};
  put(attributes, MESSAGING_MESSAGE_ID, messageId);
  put(attributes, MESSAGING_DESTINATION_PARTITION_ID, shard);
  put(attributes, COLDSPAN_MESSAGE_PARTITION_KEY, text(data.partitionKey));
  put(attributes, COLDSPAN_MESSAGE_SEQUENCE_NUMBER, text(data.sequenceNumber));
  return {
    messageId,
    attributes,
    carrier: carrierFromBase64Json(data.data),
    sentAtMs: secondsToMs(data.approximateArrivalTimestamp),
    itemIdentifier: data.sequenceNumber,
    group: shard ?? text(eventSourceARN),
  };
}

/** `shardId-000000000006:4959…` is shard and sequence number. */
function shardOf(eventId: string | undefined): string | undefined {
  const colon = eventId?.indexOf(":") ?? -1;
  return colon > 0 ? eventId?.slice(0, colon) : undefined;
}
