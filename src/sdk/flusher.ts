/** Bounds each flush by time and deadline, and guards the invocations that run. */
import type { FlushConfig } from "../config.ts";
import type { InvocationSpan } from "../seam.ts";
import { type Clock, waitAtMost } from "./clock.ts";
import { DeadlineGuard } from "./deadline-guard.ts";
import type { SpanBuffer } from "./span-buffer.ts";

/** No invocation for this long: the process may have been frozen, and its connections may be dead. */
const FREEZE_SUSPECTED_MS = 1_000;

/** Left before the deadline to write to the spool what the guard's flush could not send. */
const SPOOL_RESERVE_MS = 50;

export interface FlusherOptions {
  readonly config: FlushConfig;
  readonly buffer: SpanBuffer;
  readonly clock: Clock;
  /** The guard has acted; `done` resolves when all that could be done for the spans is done. */
  readonly onAborted: (done: Promise<void>) => void;
}

export class Flusher {
  readonly #options: FlusherOptions;
  readonly #running = new Set<InvocationSpan>();
  readonly #guard: DeadlineGuard | undefined;
  #lastActiveMs: number;
  #hasSpooled = false;

  constructor(options: FlusherOptions) {
    const { config, clock } = options;
    this.#options = options;
    this.#lastActiveMs = clock.elapsedMs();
    // On Managed Instances Lambda enforces no deadline, so none is near.
    if (config.mode === "periodic") return;
    this.#guard = new DeadlineGuard({
      marginMs: config.deadlineMarginMs,
      clock,
      onDue: (invocation) => options.onAborted(this.#abortInTime(invocation)),
    });
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  invocationStarted(invocation: InvocationSpan): void {
    if (this.isIdle) this.#wakeAfterPause();
    this.#running.add(invocation);
    this.#guard?.arm(invocation);
  }

  invocationEnded(invocation: InvocationSpan): void {
    this.#running.delete(invocation);
    this.#guard?.disarm(invocation);
    this.#lastActiveMs = this.#options.clock.elapsedMs();
  }

  /** Sends what is buffered, at most until the nearest of these deadlines; undefined: nothing to wait for. */
  flush(
    timeoutMs: number,
    invocations: Iterable<InvocationSpan> = this.#running,
  ): Promise<void> | undefined {
    const { config, buffer, clock } = this.#options;
    const nowMs = clock.wallMs();
    let boundMs = Math.max(0, timeoutMs);
    for (const { deadlineMs } of invocations) {
      const leftMs = Math.max(0, deadlineMs - config.deadlineMarginMs - nowMs);
      // A deadline that is no number bounds nothing.
      if (leftMs < boundMs) boundMs = leftMs;
    }
    return buffer.send(boundMs);
  }

  /** Sends what is buffered for the last time in this process, even to a receiver that failed. */
  async flushLast(timeoutMs: number): Promise<void> {
    await this.#options.buffer.send(timeoutMs, true);
  }

  /** Ends the spans of all running invocations: the process ends under them. */
  abortAll(errorType: string, message: string): void {
    for (const invocation of this.#running) {
      invocation.abort(errorType, message);
      this.invocationEnded(invocation);
    }
  }

  /** Moves what is unsent to the spool; the next invocation of this process would take it back. */
  spool(): void {
    this.#hasSpooled = true;
    this.#options.buffer.spool();
  }

  #wakeAfterPause(): void {
    const { buffer, clock } = this.#options;
    const nowMs = clock.elapsedMs();
    if (nowMs - this.#lastActiveMs >= FREEZE_SUSPECTED_MS) buffer.wake();
    this.#lastActiveMs = nowMs;
    if (this.#hasSpooled) buffer.recover();
    this.#hasSpooled = false;
  }

  /** Lambda is about to end the process: sends while there is time, then spools. */
  async #abortInTime(invocation: InvocationSpan): Promise<void> {
    const { config, buffer, clock } = this.#options;
    const { deadlineMs } = invocation;
    invocation.abort("timeout", "The handler had not finished when the deadline was near");
    this.invocationEnded(invocation);
    const leftMs = deadlineMs - clock.wallMs() - SPOOL_RESERVE_MS;
    const sent = buffer.send(Math.min(config.timeoutMs, Math.max(0, leftMs)), true);
    if (sent !== undefined) await waitAtMost(sent, leftMs, clock);
    // Another invocation may run by now: its flush is the better one.
    if (this.isIdle && buffer.holdsSpans) this.spool();
  }
}
