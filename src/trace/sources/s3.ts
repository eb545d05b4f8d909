import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { batchOf } from "../messaging.ts";
import { decodeKey } from "../s3-key.ts";
import {
  AWS_S3_BUCKET,
  AWS_S3_KEY,
  COLDSPAN_EVENT_TYPE,
  FAAS_DOCUMENT_COLLECTION,
  FAAS_DOCUMENT_NAME,
  FAAS_DOCUMENT_OPERATION,
  FAAS_DOCUMENT_TIME,
} from "../semconv.ts";
import { asObject, common, firstRecord, isObject, isoTimeMs, recordsOf, text } from "../shape.ts";
import type { EventDescription, EventObject, RecordDescription, Source } from "../source.ts";

/** Event notifications of an S3 bucket that invokes the function itself. */
export const s3: Source = {
  name: "s3",
  match: (event) => {
    const record = firstRecord(event);
    return record.eventSource === "aws:s3" || isObject(record.s3);
  },
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const records = recordsOf(event) ?? [];
  const bucket = common(records, bucketOf);
  const attributes: Attributes = {};
  put(attributes, FAAS_DOCUMENT_COLLECTION, bucket);
  put(attributes, AWS_S3_BUCKET, bucket);
  put(attributes, FAAS_DOCUMENT_OPERATION, common(records, operationOf));
  if (records.length === 1) putObject(attributes, asObject(records[0]));
  const batch = batchOf("aws.s3", bucket, [records], describeRecord);
  put(batch.attributes, FAAS_DOCUMENT_COLLECTION, bucket);
  put(batch.attributes, AWS_S3_BUCKET, bucket);
  return { trigger: "datasource", attributes, batches: [batch] };
}

function describeRecord(record: unknown): RecordDescription {
  const notification = asObject(record);
  const attributes: Attributes = {};
  put(attributes, FAAS_DOCUMENT_OPERATION, operationOf(notification));
  putObject(attributes, notification);
  return {
    messageId: undefined,
    attributes,
    carrier: undefined,
    sentAtMs: isoTimeMs(notification.eventTime),
    itemIdentifier: undefined,
    group: undefined,
  };
}

/** What is true of one record only: its object, time and exact event. */
function putObject(attributes: Attributes, record: EventObject): void {
  const key = decodeKey(asObject(asObject(record.s3).object).key);
  put(attributes, FAAS_DOCUMENT_NAME, key);
  put(attributes, AWS_S3_KEY, key);
  put(attributes, FAAS_DOCUMENT_TIME, text(record.eventTime));
  put(attributes, COLDSPAN_EVENT_TYPE, text(record.eventName));
}

function bucketOf(record: EventObject): string | undefined {
  return text(asObject(asObject(record.s3).bucket).name);
}

/** S3 does not say whether a created object replaced another; tags, ACLs and tiers are edits. */
function operationOf({ eventName }: EventObject): string | undefined {
  if (typeof eventName !== "string") return undefined;
  if (eventName.startsWith("ObjectCreated:")) return "insert";
  const removed =
    eventName.startsWith("ObjectRemoved:") || eventName.startsWith("LifecycleExpiration:");
  return removed ? "delete" : "edit";
}
