/** Runs a handler's work record by record and answers which records failed. */
import { groupItems } from "./record-groups.ts";
import { RecordRun, type RecordWork } from "./record-run.ts";
import type { BatchResponse, IdentifierOf, RecordOf, RecordsEvent } from "./records-event.ts";
import { isObject, recordsOf } from "./shape.ts";
import type { Batch } from "./source.ts";
import { describeEvent } from "./sources.ts";

/** SQS's default batch size: a default batch runs at once, a large one stays bounded. */
const DEFAULT_CONCURRENCY = 10;

export interface ProcessRecordsOptions<R = unknown> {
  /**
   * Records, or ordered groups of them, worked on at once: an integer from 1. Default 10.
   * Records of one FIFO message group, shard or partition run one after the other.
   */
  readonly concurrency?: number;
  /** Ms kept free before the function's deadline. Default: a fifth of the time left, 500 to 1000. */
  readonly deadlineMarginMs?: number;
  /** The handler's context, for the deadline. Default: that of the traced invocation. */
  readonly context?: { getRemainingTimeInMillis(): number };
  /** Told of every failed record. Default: one line on stderr. */
  readonly onError?: (error: unknown, record: R) => void;
}

/**
 * Works on every record of a batch, each in its own span, and makes the partial batch response.
 *
 * A record that throws is reported and hides no other. After the first failure of a FIFO message
 * group, shard or partition its remaining records are reported unprocessed, so order is kept. Near
 * the deadline whatever has not finished is reported: it comes back, nothing is lost.
 * SNS, S3 and message brokers take no partial answer: there a failure is thrown when all records had
 * their turn, so that Lambda delivers the event again. Works the same without tracing.
 *
 * @param work Called with the record and an `AbortSignal` that fires near the deadline.
 * @throws TypeError when the event delivers no records, or `concurrency` is no integer from 1;
 *   where the source takes no partial answer, the record's error, or an AggregateError of several.
 * @example
 * ```ts
 * import { processRecords, withTracing } from "coldspan";
 * import type { SQSEvent } from "aws-lambda";
 *
 * export const handler = withTracing((event: SQSEvent) =>
 *   processRecords(event, async (record) => {
 *     console.log(JSON.parse(record.body));
 *   }),
 * );
 * ```
 */
export async function processRecords<E extends RecordsEvent>(
  event: E,
  work: (record: RecordOf<E>, signal: AbortSignal) => unknown,
  options: ProcessRecordsOptions<RecordOf<E>> = {},
): Promise<BatchResponse<IdentifierOf<E>>> {
  const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new TypeError(
      `processRecords: expected concurrency to be an integer from 1, got ${String(concurrency)}`,
    );
  }
  const run = new RecordRun(work as RecordWork, { ...options, concurrency });
  await run.all(groupItems(batchesOf(event)));
  return run.answer() as BatchResponse<IdentifierOf<E>>;
}

function batchesOf(event: RecordsEvent): readonly Batch[] {
  const { batches } = describeEvent(event).description;
  if (batches !== undefined) return batches;
  // Nothing tells whose an empty list is, and nothing has to.
  if (isObject(event) && recordsOf(event)?.length === 0) return [];
  throw new TypeError("processRecords: expected an event with records, such as an SQS event");
}
