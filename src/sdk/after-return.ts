/**
 * `COLDSPAN_FLUSH=after-return`: the caller has its answer, Lambda's extension holds the environment,
 * and only then the spans go out.
 *
 * Lambda announces each invocation to the extension, too, before or after the handler starts or even
 * ends; the environment is frozen once both the runtime and the extension have asked for more. So the
 * extension holds its announcement until the flush of the same invocation is over.
 */
import type { Clock } from "./clock.ts";

/**
 * How long an announced invocation may take to reach the wrapper: parsing 6 MB of event takes 50 ms.
 * A function whose handler is not wrapped pays this once; then nothing is held before a handler starts.
 */
const START_GRACE_MS = 100;

/** This many starts within the window make a busy environment: one flush then serves many invocations. */
const BUSY_STARTS = 10;
const BUSY_WINDOW_MS = 2_000;
/** How old the oldest span may become in a busy environment before a flush is due. */
const MAX_AGE_MS = 1_000;

export interface AfterReturnOptions {
  readonly clock: Clock;
  /** Resolves when the runtime has posted the response of an invocation that has just ended. */
  readonly responsePosted: () => Promise<void>;
  /** Nothing is encoded between these two: it would delay the response. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Sends in the background what was put off. */
  readonly sendSoon: () => void;
}

export class AfterReturn {
  readonly #options: AfterReturnOptions;
  readonly #startsMs: number[] = [];
  /** Set while a flush is put off. */
  #cancelPutOff: (() => void) | undefined;
  #lastFlushMs: number;
  #isRegistered = false;
  #isRunning = false;
  /** An announcement that waits for its invocation. */
  #held: PromiseWithResolvers<void> | undefined;
  /** The flush of an invocation that ended before its announcement came. */
  #unannounced: Promise<void> | undefined;
  /** False once an announced invocation never started. */
  #expectsStart = true;
  /** True when the announcement of the next invocation to start was given back already. */
  #isReleased = false;

  constructor(options: AfterReturnOptions) {
    this.#options = options;
    this.#lastFlushMs = options.clock.elapsedMs();
  }

  /** Lambda announces invocations from now on. */
  registered(): void {
    this.#isRegistered = true;
  }

  /** No more announcements: flushes are waited for again. */
  unregistered(): void {
    this.#isRegistered = false;
  }

  /** Called for each announcement; the environment stays awake until the promise resolves. */
  hold(): Promise<void> {
    const flush = this.#unannounced;
    this.#unannounced = undefined;
    if (flush !== undefined) return flush;
    if (!this.#isRunning && !this.#expectsStart) {
      this.#isReleased = true;
      return Promise.resolve();
    }
    this.#held = Promise.withResolvers();
    if (!this.#isRunning) this.#releaseUnlessStarted();
    return this.#held.promise;
  }

  invocationStarted(): void {
    this.#isRunning = true;
    this.#expectsStart = true;
    this.#startsMs.push(this.#options.clock.elapsedMs());
    if (this.#startsMs.length > BUSY_STARTS) this.#startsMs.shift();
  }

  /**
   * True when the flush was put off until after the response, or to a later invocation. False when
   * nothing holds the environment for it: then the caller has to wait for the flush.
   */
  invocationEnded(flush: () => Promise<void> | undefined): boolean {
    const isHeld = this.#isRegistered && !this.#isReleased;
    const nowMs = this.#options.clock.elapsedMs();
    const isPutOff = isHeld && this.#isBusy(nowMs) && nowMs - this.#lastFlushMs < MAX_AGE_MS;
    if (isPutOff) this.#sendInTime(nowMs);
    else this.#noteFlush(nowMs);
    if (isHeld) this.#finish(this.#afterResponse(isPutOff ? undefined : flush));
    this.#isRunning = false;
    this.#isReleased = false;
    return isHeld;
  }

  /** The deadline is near: the environment is held until `done`, even if the handler never ends. */
  invocationAborted(done: Promise<void>): void {
    if (this.#isRegistered && !this.#isReleased) this.#finish(done);
    this.#isRunning = false;
    this.#isReleased = false;
  }

  /** Should no invocation follow, and the environment not be frozen, the spans go when they are due. */
  #sendInTime(nowMs: number): void {
    const { clock, sendSoon } = this.#options;
    this.#cancelPutOff ??= clock.after(this.#lastFlushMs + MAX_AGE_MS - nowMs, () => {
      this.#noteFlush(clock.elapsedMs());
      sendSoon();
    });
  }

  #noteFlush(nowMs: number): void {
    this.#lastFlushMs = nowMs;
    this.#cancelPutOff?.();
    this.#cancelPutOff = undefined;
  }

  #finish(done: Promise<void>): void {
    if (this.#held === undefined) this.#unannounced = done;
    else this.#held.resolve(done);
    this.#held = undefined;
  }

  async #afterResponse(flush: (() => Promise<void> | undefined) | undefined): Promise<void> {
    const { pause, responsePosted, resume } = this.#options;
    pause();
    await responsePosted();
    resume();
    await flush?.();
  }

  #releaseUnlessStarted(): void {
    const held = this.#held;
    this.#options.clock.after(START_GRACE_MS, () => {
      if (held === undefined || this.#held !== held || this.#isRunning) return;
      this.#expectsStart = false;
      this.#isReleased = true;
      this.#held = undefined;
      held.resolve();
    });
  }

  #isBusy(nowMs: number): boolean {
    const [firstMs] = this.#startsMs;
    return (
      firstMs !== undefined &&
      this.#startsMs.length === BUSY_STARTS &&
      nowMs - firstMs <= BUSY_WINDOW_MS
    );
  }
}
