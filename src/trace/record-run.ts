/** One run over the records of an event: groups side by side, what did not succeed, the deadline. */
import { reportError } from "../diag.ts";
import { currentInvocation, type RecordTurn } from "./current-invocation.ts";
import type { Item } from "./record-groups.ts";
import type { BatchResponse } from "./records-event.ts";

/** Time to answer and to flush; what runs longer is handed back as failed. */
const DEFAULT_DEADLINE_MARGIN_MS = 1_000;
/** Of a short timeout the default margin is this share. */
const MARGIN_SHARE = 0.2;
/**
 * Longer than what the deadline guard keeps free by default (300 ms, at most half of the time): from
 * then on the invocation counts as timed out, and its answer would come too late for its spans.
 */
const MIN_MARGIN_MS = 500;
const MIN_MARGIN_SHARE = 0.6;

/** What is done with each record; the signal fires near the deadline. */
export type RecordWork = (record: unknown, signal: AbortSignal) => unknown;

export interface RunOptions {
  readonly concurrency: number;
  readonly deadlineMarginMs?: number | undefined;
  readonly context?: { getRemainingTimeInMillis(): number } | undefined;
  readonly onError?: ((error: unknown, record: never) => void) | undefined;
}

export class RecordRun {
  readonly #work: RecordWork;
  readonly #options: RunOptions;
  readonly #invocation = currentInvocation();
  readonly #abort = new AbortController();
  readonly #unfinished = new Set<Item>();
  readonly #errors = new Map<Item, unknown>();

  constructor(work: RecordWork, options: RunOptions) {
    this.#work = work;
    this.#options = options;
  }

  /** Resolves when every group is done or stopped, or at the deadline's margin. Never rejects. */
  async all(groups: readonly Item[][]): Promise<void> {
    for (const group of groups) for (const item of group) this.#unfinished.add(item);
    const remaining = groups.values();
    const { concurrency } = this.#options;
    const workers = Array.from({ length: Math.min(concurrency, groups.length) }, async () => {
      for (const group of remaining) {
        if (this.#abort.signal.aborted) return;
        await this.#runGroup(group);
      }
    });
    await this.#untilDeadline(Promise.all(workers));
  }

  /** Names everything that did not succeed, or throws for what has no name. */
  answer(): BatchResponse<unknown> {
    const batchItemFailures: { itemIdentifier: unknown }[] = [];
    const nameless: unknown[] = [];
    for (const item of this.#unfinished) {
      const { itemIdentifier } = item.description;
      if (itemIdentifier !== undefined) batchItemFailures.push({ itemIdentifier });
      else if (this.#errors.has(item)) nameless.push(this.#errors.get(item));
      else nameless.push(new Error("the record was not finished in time"));
    }
    if (nameless.length === 0) return { batchItemFailures };
    if (nameless.length === 1) throw nameless[0];
    throw new AggregateError(nameless, `${nameless.length} records failed`);
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
    const marginMs = this.#options.deadlineMarginMs ?? defaultMarginMs(remainingMs);
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
      else onError(thrown, record as never);
    } catch (error) {
      reportError("the onError option threw", error);
    }
  }
}

function defaultMarginMs(remainingMs: number): number {
  const leastMs = Math.min(MIN_MARGIN_MS, remainingMs * MIN_MARGIN_SHARE);
  return Math.min(DEFAULT_DEADLINE_MARGIN_MS, Math.max(remainingMs * MARGIN_SHARE, leastMs));
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
