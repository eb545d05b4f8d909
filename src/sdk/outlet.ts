/** One destination's own fate: what waits for it, what is under way, whether it answers. */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Destination, SendOutcome } from "../export/destination.ts";
import { Backlog, type Parcel } from "./backlog.ts";
import type { BoundedQueue, QueueBounds } from "./bounded-queue.ts";
import { Breaker } from "./breaker.ts";
import { type Clock, waitAtMost } from "./clock.ts";
import type { LossReport } from "./loss-report.ts";
import { Sends } from "./sends.ts";
import type { RecoveredRequest, Spool } from "./spool.ts";
import { Tally } from "./tally.ts";
import type { DestinationStats } from "./telemetry-stats.ts";

/**
 * Requests under way at once. Encoding is one thread's work, so more would only hold more encoded
 * bytes (up to 4 MB each) and, over HTTP/1.1, open more connections.
 */
const MAX_CONCURRENT_SENDS = 4;

/** How long a flush waits for a probe that is under way: a round trip within the region. */
const PROBE_WAIT_MS = 3;

export interface OutletOptions {
  readonly destination: Destination;
  readonly bounds: QueueBounds;
  readonly maxChunkSpans: number;
  readonly sendTimeoutMs: number;
  readonly clock: Clock;
  readonly losses: LossReport;
}

export class Outlet {
  /** While true, nothing new is sent; a flush ends that. */
  isPaused = false;
  readonly #options: OutletOptions;
  readonly #backlog: Backlog;
  readonly #tally: Tally;
  readonly #sends: Sends;
  readonly #breaker = new Breaker();
  /** Waiting spans that a flush wants out; others go once they fill a chunk. */
  #wanted = 0;
  #cancelProbe: (() => void) | undefined;
  #isShutdown = false;

  constructor(options: OutletOptions) {
    const { destination, losses, sendTimeoutMs } = options;
    this.#options = options;
    this.#tally = new Tally(destination.name, losses);
    this.#sends = new Sends(destination, sendTimeoutMs);
    this.#backlog = new Backlog({
      ...options,
      onUnsendable: (reason) => this.#tally.unsendable(reason),
    });
  }

  get name(): string {
    return this.#options.destination.name;
  }

  get stats(): DestinationStats {
    return this.#tally.stats(this.#backlog, this.#breaker.state);
  }

  /** Spans that wait, and those that are being sent. */
  get held(): number {
    return this.#backlog.held;
  }

  /** True when a whole request waits and may go out. */
  get isDue(): boolean {
    return this.#backlog.isDue && this.#isSending;
  }

  /** Starts with what waited while the destination was being loaded. */
  adopt(staged: BoundedQueue): void {
    this.#backlog.queue.adopt(staged);
  }

  /** Takes over a request that an earlier process left for this destination. */
  recover(request: RecoveredRequest): void {
    this.#backlog.recover(request);
    this.#tally.recovered(request.spanCount);
  }

  add(span: ReadableSpan, bytes: number): void {
    this.#backlog.queue.add(span, bytes);
  }

  connect(): void {
    this.#options.destination.connect?.();
  }

  /** The process may have been frozen: the connection is doubted, a failed receiver asked again. */
  wake(): void {
    this.#options.destination.wake?.();
    this.#probe();
  }

  /** Sends what is due, in the background: whole requests, and what a flush asked for. */
  pump(): void {
    while (
      this.#isSending &&
      this.#sends.size < MAX_CONCURRENT_SENDS &&
      (this.#wanted > 0 || this.#backlog.isDue)
    ) {
      const parcel = this.#takeNext();
      if (parcel === undefined) return;
      this.#send(parcel);
    }
  }

  /**
   * Sends all that waits, starting in this tick, and waits until it and what was under way is
   * answered, the receiver fails, or `boundMs` are over. Undefined when there is nothing to wait for.
   * The last flush of a process asks a receiver that failed, too.
   */
  flush(boundMs: number, isLast = false): Promise<void> | undefined {
    this.isPaused = false;
    this.reportDrops();
    if (this.#backlog.held === 0) return undefined;
    if (isLast) this.#breaker.giveLastChance();
    if (this.#breaker.state !== "closed") return this.#flushByProbe(boundMs);
    this.#wanted = this.#backlog.waiting;
    this.pump();
    if (this.#sends.size === 0 || boundMs <= 0) return undefined;
    return waitAtMost(this.#drain(), boundMs, this.#options.clock);
  }

  /** Moves to the spool what waits, and what is under way: its answer will not be heard. */
  spool(spool: Spool): void {
    for (const parcel of this.#sends.parcels.filter(({ isRecovered }) => !isRecovered)) {
      if (!this.#write(spool, parcel, true)) return;
      this.#sends.abandon(parcel);
    }
    // An abandoned probe tells nothing; should the process live on, another one has to.
    if (this.#breaker.state === "probing" && this.#sends.size === 0) this.#open(undefined);
    for (;;) {
      const parcel = this.#backlog.nextOwn();
      if (parcel === undefined) return;
      if (this.#write(spool, parcel, parcel.repeats > 0)) continue;
      parcel.giveBack(false);
      return;
    }
  }

  /** Reports what the queue has dropped since the last time. */
  reportDrops(): void {
    this.#tally.reportDrops(this.#backlog);
  }

  /** The process ends: reports what it could neither send nor spool. */
  reportUnsent(): void {
    this.#tally.reportUnsent(this.#backlog);
  }

  /** Closes the destination; what waits stays counted as `buffered`. */
  shutdown(): void {
    this.#isShutdown = true;
    this.#cancelProbe?.();
    this.#options.destination.shutdown();
  }

  get #isSending(): boolean {
    return this.#breaker.state === "closed" && !this.isPaused && !this.#isShutdown;
  }

  /** Resolves when no wanted span waits and the sends then under way are settled, or the receiver failed. */
  async #drain(): Promise<void> {
    while (this.#isSending && this.#wanted > 0 && this.#sends.size > 0) {
      await this.#sends.nextSettled;
    }
    await this.#sends.drain(() => !this.#isSending);
  }

  /** Waits for a probe's answer only as long as one may come at all soon, then flushes as usual. */
  #flushByProbe(boundMs: number): Promise<void> | undefined {
    const { clock } = this.#options;
    this.#probe();
    if (this.#sends.size === 0 || boundMs <= 0) return undefined;
    const startMs = clock.elapsedMs();
    const answer = waitAtMost(this.#sends.nextSettled, Math.min(PROBE_WAIT_MS, boundMs), clock);
    return answer.then(() => {
      if (!this.#isSending) return undefined;
      return this.flush(boundMs - (clock.elapsedMs() - startMs));
    });
  }

  /** Sends one request to a receiver that failed, when that is due: an answer closes the breaker. */
  #probe(): void {
    const isDue = this.#breaker.mayProbe(this.#options.clock.elapsedMs());
    if (!isDue || this.#sends.size > 0 || this.#isShutdown) return;
    const parcel = this.#takeNext();
    if (parcel === undefined) return;
    this.#breaker.probeStarted();
    this.#send(parcel);
  }

  #takeNext(): Parcel | undefined {
    const { waiting } = this.#backlog;
    const parcel = this.#backlog.next();
    const taken = waiting - this.#backlog.waiting;
    this.#wanted = parcel === undefined ? 0 : Math.max(0, this.#wanted - taken);
    return parcel;
  }

  #send(parcel: Parcel): void {
    this.#tally.sending(parcel);
    this.#sends.start(parcel, (outcome) => {
      this.#book(parcel, outcome);
      this.pump();
    });
  }

  #book(parcel: Parcel, outcome: SendOutcome): void {
    this.#tally.settled(parcel, outcome);
    if (outcome.status === "retryable") {
      parcel.giveBack(outcome.answerLost);
      this.#open(outcome.retryInMillis);
      return;
    }
    parcel.settle();
    this.#close();
  }

  #open(wishMs: number | undefined): void {
    const { clock } = this.#options;
    this.#wanted = 0;
    this.#breaker.failed(clock.elapsedMs(), wishMs);
    this.#cancelProbe?.();
    const delayMs = this.#breaker.msUntilProbe(clock.elapsedMs());
    this.#cancelProbe = clock.after(delayMs, () => this.#probe());
  }

  /** The receiver answers again: all that waited for it goes out. */
  #close(): void {
    if (this.#breaker.state === "closed") return;
    this.#breaker.answered();
    this.#cancelProbe?.();
    this.#wanted = this.#backlog.waiting;
  }

  #write(spool: Spool, parcel: Parcel, mayRepeat: boolean): boolean {
    const { request, spanCount } = parcel;
    if (!(request instanceof Uint8Array)) return false;
    if (!spool.write({ destination: this.name, request, spanCount, mayRepeat })) return false;
    parcel.settle();
    this.#tally.spooled(spanCount);
    return true;
  }
}
