import type { Attributes } from "@opentelemetry/api";
import { parseArn, resourceName } from "../arn.ts";
import { put } from "../attributes.ts";
import { batchOf, endsWindow } from "../messaging.ts";
import {
  COLDSPAN_MESSAGE_SEQUENCE_NUMBER,
  FAAS_DOCUMENT_COLLECTION,
  FAAS_DOCUMENT_OPERATION,
  FAAS_DOCUMENT_TIME,
  MESSAGING_MESSAGE_ID,
} from "../semconv.ts";
import {
  asObject,
  common,
  firstRecord,
  isObject,
  isoText,
  recordsOf,
  secondsToMs,
  text,
} from "../shape.ts";
import type { EventDescription, EventObject, RecordDescription, Source } from "../source.ts";

/** `faas.document.operation` of what a stream record tells. */
const OPERATIONS: ReadonlyMap<unknown, string> = new Map([
  ["INSERT", "insert"],
  ["MODIFY", "edit"],
  ["REMOVE", "delete"],
]);

/** Changes of a DynamoDB table. */
export const dynamodb: Source = {
  name: "dynamodb",
  match: (event) => {
    const record = firstRecord(event);
    return (
      record.eventSource === "aws:dynamodb" ||
      isObject(record.dynamodb) ||
      endsWindow(event, "dynamodb")
    );
  },
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const records = recordsOf(event) ?? [];
  const stream = common(records, (record) => text(record.eventSourceARN)) ?? event.eventSourceARN;
  const table = resourceName(parseArn(stream));
  const attributes: Attributes = {};
  put(attributes, FAAS_DOCUMENT_COLLECTION, table);
  if (records.length === 0) return { trigger: "datasource", attributes, batches: [] };
  put(attributes, FAAS_DOCUMENT_OPERATION, common(records, operationOf));
  if (records.length === 1) put(attributes, FAAS_DOCUMENT_TIME, isoText(changedAtMs(records[0])));
  const batch = batchOf("aws.dynamodb", table, [records], describeRecord);
  put(batch.attributes, FAAS_DOCUMENT_COLLECTION, table);
  return { trigger: "datasource", attributes, batches: [batch] };
}

function describeRecord(record: unknown): RecordDescription {
  const change = asObject(record);
  const messageId = text(change.eventID);
  const { SequenceNumber } = asObject(change.dynamodb);
  const sentAtMs = changedAtMs(record);
  const attributes: Attributes = {};
  put(attributes, MESSAGING_MESSAGE_ID, messageId);
  put(attributes, FAAS_DOCUMENT_OPERATION, operationOf(change));
  put(attributes, FAAS_DOCUMENT_TIME, isoText(sentAtMs));
  put(attributes, COLDSPAN_MESSAGE_SEQUENCE_NUMBER, text(SequenceNumber));
  return {
    messageId,
    attributes,
    carrier: undefined,
    sentAtMs,
    itemIdentifier: SequenceNumber,
    // A batch is of one shard, which its records do not name: they are one group.
    group: text(change.eventSourceARN),
  };
}

function operationOf(record: EventObject): string | undefined {
  return OPERATIONS.get(record.eventName);
}

function changedAtMs(record: unknown): number | undefined {
  return secondsToMs(asObject(asObject(record).dynamodb).ApproximateCreationDateTime);
}
