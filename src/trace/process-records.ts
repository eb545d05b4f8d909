/** Runs a handler's work record by record and answers which records failed. */
import { reportError } from "../diag.ts";
import { currentInvocation, type RecordTurn } from "./current-invocation.ts";
import { groupItems, type Item } from "./record-groups.ts";
import { describeEvent } from "./sources.ts";

/** SQS's default batch size: a default batch runs at once, a large one stays bounded. */
const DEFAULT_CONCURRENCY = 10;
/** Time to answer and to flush; what runs longer is handed back as failed. */
const DEFAULT_DEADLINE_MARGIN_MS = 1_000;
/** Of a short timeout the default margin takes no more than this share. */
const MAX_MARGIN_SHARE = 0.2;

/** A Lambda event that delivers records, such as `SQSEvent`, `KinesisStreamEvent` or `MSKEvent`. */
export type RecordsEvent =
  | { readonly Records: readonly unknown[] }
  | { readonly records: Readonly<Record<string, readonly unknown[]>> };

/** The record type of an event. */
export type RecordOf<E extends RecordsEvent> = E extends { readonly Records: readonly (infer R)[] }
  ? R
  : E extends { readonly records: Readonly<Record<string, readonly (infer R)[]>> }
    ? R
    : never;

/** Names a Kafka record; every other source names its records by a string. */
export interface KafkaItemIdentifier {
  /** `<topic>-<partition>`. */
  readonly partition: string;
  readonly offset: number;
}

/** Message id, sequence number, or Kafka's object. */
export type IdentifierOf<E extends RecordsEvent> = E extends { readonly Records: unknown }
  ? string
  : KafkaItemIdentifier;

/** Lambda's partial batch response; needs `ReportBatchItemFailures` on the event source mapping. */
export interface BatchResponse<Identifier = string> {
  batchItemFailures: { itemIdentifier: Identifier }[];
}

export interface ProcessRecordsOptions<R = unknown> {
  /**
   * Records, or ordered groups of them, worked on at once: an integer from 1. Default 10.
   * Records of one FIFO message group, shard or partition run one after the other.
   */
  readonly concurrency?: number;
  /** Ms kept free before the function's deadline. Default 1000, at most a fifth of the time left. */
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
  const { batches } = describeEvent(event).description;
  if (batches === undefined) {
    throw new TypeError("processRecords: expected an event with records, such as an SQS event");
  }
  const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new TypeError(
      `processRecords: expected concurrency to be an integer from 1, got ${String(concurrency)}`,
    );
  }
  const run = new Run(work as Work, options as ProcessRecordsOptions);
  await run.all(groupItems(batches), concurrency);
  return run.answer() as BatchResponse<IdentifierOf<E>>;
}

type Work = (record: unknown, signal: AbortSignal) => unknown;

/** One call of {@link processRecords}. */
class Run {
  readonly #work: Work;
  readonly #options: ProcessRecordsOptions;
  readonly #invocation = currentInvocation();
  readonly #abort = new AbortController();
  readonly #unfinished = new Set<Item>();
  readonly #errors = new Map<Item, unknown>();

  constructor(work: Work, options: ProcessRecordsOptions) {
    this.#work = work;
    this.#options = options;
  }

  /** Names everything that did not succeed, or throws for what has no name. */
  answer(): BatchResponse<unknown> {
    const batchItemFailures: { itemIdentifier: unknown }[] = [];
    const nameless: unknown[] = [];
    for (const item of this.#unfinished) {
      const { itemIdentifier } = item.description;
      if (itemIdentifier !== undefined) batchItemFailures.push({ itemIdentifier });
      else
        nameless.push(this.#errors.get(item) ?? new Error("the record was not finished in time"));
    }
    if (nameless.length === 1) throw nameless[0];
    if (nameless.length > 1)
      throw new AggregateError(nameless, `${nameless.length} records failed`);
    return { batchItemFailures };
  }

  async all(groups: readonly Item[][], concurrency: number): Promise<void> {
    for (const group of groups) for (const item of group) this.#unfinished.add(item);
    const remaining = groups.values();
    const workers = Array.from({ length: Math.min(concurrency, groups.length) }, async () => {
      for (const group of remaining) {
        if (this.#abort.signal.aborted) return;
        await this.#runGroup(group);
      }
    });
    await this.#untilDeadline(Promise.all(workers));
  }

  async #runGroup(group: readonly Item[]): Promise<void> {
    for (const item of group) {
      if (this.#abort.signal.aborted || !(await this.#runItem(item))) return;
    }
  }

  /** @returns whether the record succeeded. */
  async #runItem(item: Item): Promise<boolean> {
    const turn = this.#invocation?.turnOf(item.record, item.position, item.description);
    try {
      const run = () => this.#work(item.record, this.#abort.signal);
      await (turn === undefined ? run() : turn.run(run));
    } catch (thrown) {
      endTurn(turn, { thrown });
      this.#errors.set(item, thrown);
      this.#report(thrown, item.record);
      return false;
    }
    endTurn(turn, undefined);
    // Too late: the answer has already named it as failed, and it will be delivered again.
    if (!this.#abort.signal.aborted) this.#unfinished.delete(item);
    return true;
  }

  /** Resolves when the work is done, or at the deadline's margin, whichever is first. */
  async #untilDeadline(work: Promise<unknown>): Promise<void> {
    const remainingMs = this.#remainingMs();
    if (remainingMs === undefined) {
      await work;
      return;
    }
    const marginMs =
      this.#options.deadlineMarginMs ??
      Math.min(DEFAULT_DEADLINE_MARGIN_MS, remainingMs * MAX_MARGIN_SHARE);
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(
        () => {
          this.#abort.abort(new Error("the function is about to time out"));
          resolve();
        },
        Math.max(0, remainingMs - marginMs),
      );
    });
    await Promise.race([work, deadline]);
    clearTimeout(timer);
  }

  /** Undefined where there is no deadline: on Managed Instances the time left may be negative. */
  #remainingMs(): number | undefined {
    const remainingMs =
      this.#options.context?.getRemainingTimeInMillis() ??
      (this.#invocation?.deadlineMs ?? Number.POSITIVE_INFINITY) - Date.now();
    return Number.isFinite(remainingMs) && remainingMs > 0 ? remainingMs : undefined;
  }

  #report(thrown: unknown, record: unknown): void {
    const { onError } = this.#options;
    try {
      if (onError === undefined) reportError("a record failed", thrown);
      else onError(thrown, record);
    } catch (error) {
      reportError("the onError option threw", error);
    }
  }
}

function endTurn(
  turn: RecordTurn | undefined,
  failure: { readonly thrown: unknown } | undefined,
): void {
  try {
    turn?.end(failure);
  } catch (error) {
    reportError("a record's span could not be ended", error);
  }
}
