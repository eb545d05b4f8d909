/** One destination's own fate: what waits for it, what is under way, whether it answers. */
import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Destination, ExportRequest, SendOutcome } from "../export/destination.ts";
import { Backlog, type Parcel } from "./backlog.ts";
import type { BoundedQueue, QueueBounds } from "./bounded-queue.ts";
import { Breaker } from "./breaker.ts";
import { type Clock, waitAtMost } from "./clock.ts";
import type { LossReport } from "./loss-report.ts";
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

/** Our own requests are no spans, whichever span's context they happen to start in. */
const UNTRACED = suppressTracing(ROOT_CONTEXT);

export interface OutletOptions {
  readonly destination: Destination;
  readonly bounds: QueueBounds;
  readonly maxChunkSpans: number;
  /** Of each send; a flush that a deadline cuts short leaves its sends running, so their answers count. */
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
  readonly #breaker = new Breaker();
  readonly #inFlight = new Set<Parcel>();
  /** Replaced each time a send is settled. */
  #nextSettled = Promise.withResolvers<void>();
  /** Waiting spans that a flush wants out; others go once they fill a chunk. */
  #wanted = 0;
  #cancelProbe: (() => void) | undefined;
  #isShutdown = false;

  constructor(options: OutletOptions) {
    this.#options = options;
    this.#tally = new Tally(options.destination.name, options.losses);
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

  /** Moves to the spool what waits, and what is under way: its answer will not be heard. */
  spool(spool: Spool): void {
    for (const parcel of [...this.#inFlight].filter(({ isRecovered }) => !isRecovered)) {
      if (!this.#write(spool, parcel, true)) return;
      this.#inFlight.delete(parcel);
    }
    for (;;) {
      const parcel = this.#backlog.nextOwn();
      if (parcel === undefined) return;
      if (this.#write(spool, parcel, parcel.repeats > 0)) continue;
      parcel.giveBack(false);
      return;
    }
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
      this.#inFlight.size < MAX_CONCURRENT_SENDS &&
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
   */
  flush(boundMs: number): Promise<void> | undefined {
    this.isPaused = false;
    this.reportDrops();
    if (this.#backlog.held === 0) return undefined;
    if (this.#breaker.state !== "closed") return this.#flushByProbe(boundMs);
    this.#wanted = this.#backlog.waiting;
    this.pump();
    if (this.#inFlight.size === 0 || boundMs <= 0) return undefined;
    return waitAtMost(this.#drain(), boundMs, this.#options.clock);
  }

  /** Closes the destination; what waits stays counted as `buffered`. */
  shutdown(): void {
    this.#isShutdown = true;
    this.#cancelProbe?.();
    this.#options.destination.shutdown();
  }

  /** Reports what the queue has dropped since the last time. */
  reportDrops(): void {
    this.#tally.reportDrops(this.#backlog);
  }

  #write(spool: Spool, parcel: Parcel, mayRepeat: boolean): boolean {
    const { request, spanCount } = parcel;
    if (!(request instanceof Uint8Array)) return false;
    const { name } = this.#options.destination;
    if (!spool.write({ destination: name, request, spanCount, mayRepeat })) return false;
    parcel.settle();
    this.#tally.spooled(spanCount);
    return true;
  }

  get #isSending(): boolean {
    return this.#breaker.state === "closed" && !this.isPaused && !this.#isShutdown;
  }

  /** Waits for a probe's answer only as long as one may come at all soon, then flushes as usual. */
  #flushByProbe(boundMs: number): Promise<void> | undefined {
    const { clock } = this.#options;
    this.#probe();
    if (this.#inFlight.size === 0 || boundMs <= 0) return undefined;
    const startMs = clock.elapsedMs();
    const answer = waitAtMost(this.#nextSettled.promise, Math.min(PROBE_WAIT_MS, boundMs), clock);
    return answer.then(() => {
      if (!this.#isSending) return undefined;
      return this.flush(boundMs - (clock.elapsedMs() - startMs));
    });
  }

  /** Resolves when no wanted span waits and the sends then under way are settled, or the breaker opened. */
  async #drain(): Promise<void> {
    while (this.#isSending && this.#wanted > 0 && this.#inFlight.size > 0) {
      await this.#nextSettled.promise;
    }
    const last = [...this.#inFlight];
    while (this.#isSending && last.some((parcel) => this.#inFlight.has(parcel))) {
      await this.#nextSettled.promise;
    }
  }

  /** Sends one request to a receiver that failed, when that is due: an answer closes the breaker. */
  #probe(): void {
    const isDue = this.#breaker.mayProbe(this.#options.clock.elapsedMs());
    if (!isDue || this.#inFlight.size > 0 || this.#isShutdown) return;
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
    const { destination, sendTimeoutMs } = this.#options;
    this.#inFlight.add(parcel);
    this.#tally.sending(parcel);
    void trySend(destination, parcel.request, sendTimeoutMs).then((outcome) => {
      // False when the parcel was spooled meanwhile: whoever claims it sends it.
      if (this.#inFlight.delete(parcel)) this.#book(parcel, outcome);
      this.pump();
      this.#nextSettled.resolve();
      this.#nextSettled = Promise.withResolvers();
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
}

/** Starts the send in this tick. A destination that breaks its word and throws has failed for good. */
async function trySend(
  destination: Destination,
  request: ExportRequest,
  timeoutMs: number,
): Promise<SendOutcome> {
  try {
    return await context.with(UNTRACED, () => destination.send(request, timeoutMs));
  } catch (error) {
    return { status: "failure", error: error instanceof Error ? error : new Error(String(error)) };
  }
}
