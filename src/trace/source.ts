/** The contract of an event source: two pure functions, one file each under `sources/`. */
import type { Attributes } from "@opentelemetry/api";
import type { SourceName, TriggerKind } from "./source-names.ts";

/** Propagation fields of one message or request; keys in lower case. */
export type Carrier = Readonly<Record<string, string>>;

/** An event that is at least an object; its fields are anything. */
export type EventObject = Readonly<Record<string, unknown>>;

export interface Source {
  readonly name: SourceName;
  /** True when the event has this source's shape. Pure, cheap, never throws on any JSON value. */
  match(event: EventObject): boolean;
  /** Reads the event. Pure; called only after `match`. */
  describe(event: EventObject): EventDescription;
}

export interface EventDescription {
  readonly trigger: TriggerKind;
  /** Invocation span name; the function's name when absent. */
  readonly spanName?: string;
  /** Attributes of the invocation span, besides `faas.trigger` and those of the Lambda context. */
  readonly attributes: Attributes;
  /** Where the caller's context travels; absent when the event has none. */
  readonly carrier?: Carrier;
  /** For sources that deliver records: one entry per queue, topic or stream in the event. */
  readonly batches?: readonly Batch[];
  /** Unix time in ms at which the event was sent, where the event as a whole says so. */
  readonly sentAtMs?: number;
  /** For request sources: reads the handler's answer. Pure; the answer may be anything. */
  readonly describeResult?: (result: unknown) => ResultDescription;
}

/** What the handler's answer says about the invocation. */
export interface ResultDescription {
  readonly attributes: Attributes;
  /** Set when the answer means failure, such as HTTP 500: becomes `error.type`. */
  readonly errorType?: string;
}

/** The records of one queue, topic or stream. */
export interface Batch {
  /** `messaging.system` in the names known up to semantic conventions 1.44, such as `aws_sqs`. */
  readonly system: string;
  /** Queue, topic or stream name; the span is `process {destination}`. */
  readonly destination: string | undefined;
  /** The event's own array(s) of records, in delivery order: coldspan watches loops over them. */
  readonly arrays: readonly (readonly unknown[])[];
  /**
   * Attributes that all records share, `messaging.system`, operation and destination included;
   * set on the batch span and on every record span. Only the message count is the engine's.
   */
  readonly attributes: Attributes;
  /** Set when several batches share one array: true for the records of this one. */
  owns?(record: unknown): boolean;
  /** Reads one record. Pure; called once per record. */
  describeRecord(record: unknown): RecordDescription;
}

export interface RecordDescription {
  readonly messageId: string | undefined;
  /** The record's own attributes, message id included. */
  readonly attributes: Attributes;
  readonly carrier: Carrier | undefined;
  /** Unix time in ms at which the message was sent; queue time is measured from it. */
  readonly sentAtMs: number | undefined;
  /**
   * What the record is called in `batchItemFailures`: an id, a sequence number, or Kafka's object.
   * Undefined where the source takes no partial answer (SNS, S3, MQ): a failure there must be thrown.
   */
  readonly itemIdentifier: unknown;
  /** Records of one group are processed in order and stop at the first failure (FIFO group, shard). */
  readonly group: string | undefined;
}
