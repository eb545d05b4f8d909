/** The types of events that deliver records, and of the answers they take. */

/** A Lambda event that delivers records. */
export type RecordsEvent =
  /** SQS, Kinesis, DynamoDB, SNS, S3. */
  | { readonly Records: readonly unknown[] }
  /** Kafka, by topic and partition. */
  | { readonly records: Readonly<Record<string, readonly unknown[]>> }
  /** ActiveMQ. */
  | { readonly messages: readonly unknown[] }
  /** RabbitMQ. */
  | { readonly rmqMessagesByQueue: Readonly<Record<string, readonly unknown[]>> }
  /** EventBridge Pipes. */
  | readonly unknown[];

/** The record type of an event. */
export type RecordOf<E extends RecordsEvent> = E extends
  | { readonly Records: readonly (infer R)[] }
  | { readonly records: Readonly<Record<string, readonly (infer R)[]>> }
  | { readonly messages: readonly (infer R)[] }
  | { readonly rmqMessagesByQueue: Readonly<Record<string, readonly (infer R)[]>> }
  | readonly (infer R)[]
  ? R
  : never;

/** Names a Kafka record; every other source names its records by a string. */
export interface KafkaItemIdentifier {
  /** `<topic>-<partition>`. */
  readonly partition: string;
  readonly offset: number;
}

/** Message id, sequence number, or Kafka's object. */
export type IdentifierOf<E extends RecordsEvent> = E extends { readonly records: unknown }
  ? KafkaItemIdentifier
  : string;

/** Lambda's partial batch response; needs `ReportBatchItemFailures` on the event source mapping. */
export interface BatchResponse<Identifier = string> {
  batchItemFailures: { itemIdentifier: Identifier }[];
}
