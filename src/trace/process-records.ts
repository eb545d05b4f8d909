/** Runs a handler's work record by record and answers which records failed. */
import { reportError } from "../diag.ts";
import { currentInvocation, type RecordTurn } from "./current-invocation.ts";
import type { Batch, RecordDescription } from "./source.ts";
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

/** Lambda's partial batch response; needs `ReportBatchItemFailures` on the event source mapping. */
export interface BatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
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

interface Item {
  readonly record: unknown;
  readonly position: number;
  readonly description: RecordDescription;
}

/**
 * Works on every record of a batch, each in its own span, and makes the partial batch response.
 *
 * A record that throws is reported and hides no other. After the first failure of a FIFO message
 * group, shard or partition its remaining records are reported unprocessed, so order is kept. Near
 * the deadline whatever has not finished is reported: it comes back, nothing is lost.
 * Works the same without tracing.
 *
 * @param work Called with the record and an `AbortSignal` that fires near the deadline.
 * @throws TypeError when the event delivers no records, or `concurrency` is no integer from 1.
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
): Promise<BatchResponse> {
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
  return { batchItemFailures: run.failures };
}

type Work = (record: unknown, signal: AbortSignal) => unknown;

/** Records that must keep their order, together; all others alone. */
function groupItems(batches: readonly Batch[]): Item[][] {
  const groups: Item[][] = [];
  const ordered = new Map<string, Item[]>();
  for (const batch of batches) {
    let position = 0;
    for (const records of batch.arrays) {
      for (let index = 0; index < records.length; index++) {
        const record = records[index];
        if (batch.owns?.(record) === false) continue;
        const description = batch.describeRecord(record);
        const item: Item = { record, position: position++, description };
        if (description.group === undefined) {
          groups.push([item]);
          continue;
        }
        const key = `${batch.destination}/${description.group}`;
        const group = ordered.get(key);
        if (group !== undefined) {
          group.push(item);
          continue;
        }
        const started = [item];
        ordered.set(key, started);
        groups.push(started);
      }
    }
  }
  return groups;
}

/** One call of {@link processRecords}. */
class Run {
  readonly #work: Work;
  readonly #options: ProcessRecordsOptions;
  readonly #invocation = currentInvocation();
  readonly #abort = new AbortController();
  readonly #unfinished = new Set<Item>();

  constructor(work: Work, options: ProcessRecordsOptions) {
    this.#work = work;
    this.#options = options;
  }

  /** Everything that did not succeed; within a group in delivery order. */
  get failures(): { itemIdentifier: string }[] {
    return [...this.#unfinished].map(({ description }) => ({
      itemIdentifier: description.itemIdentifier as string,
    }));
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
