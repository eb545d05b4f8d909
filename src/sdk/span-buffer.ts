/** Keeps ended spans until their destinations have them: the span processor of coldspan. */
import { TraceFlags } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { FlushConfig } from "../config.ts";
import { warnOnce } from "../diag.ts";
import type { Destination } from "../export/destination.ts";
import { BoundedQueue, type QueueBounds } from "./bounded-queue.ts";
import { type Clock, waitAtMost } from "./clock.ts";
import { LossReport, type WriteWarning } from "./loss-report.ts";
import { Outlet } from "./outlet.ts";
import type { Spool } from "./spool.ts";
import type { TelemetryStats } from "./telemetry-stats.ts";

export interface SpanBufferOptions {
  readonly config: FlushConfig;
  /** Called once, when the destinations are first needed. */
  readonly loadDestinations: () => Promise<readonly Destination[]>;
  /** Close to the bytes that the span takes in a request. Cheap; never throws. */
  readonly estimateSpanBytes: (span: ReadableSpan) => number;
  readonly warn: WriteWarning;
  readonly clock: Clock;
  /** Where unsent spans outlive the process; nowhere when absent. */
  readonly spool?: Spool | undefined;
}

export class SpanBuffer implements SpanProcessor {
  readonly #options: SpanBufferOptions;
  readonly #losses: LossReport;
  /** Spans that end before the destinations are loaded. */
  readonly #staged: BoundedQueue;
  #outlets: readonly Outlet[] | undefined;
  #loading: Promise<void> | undefined;
  #isPumpScheduled = false;
  #cancelInterval: (() => void) | undefined;
  #isShutdown = false;

  constructor(options: SpanBufferOptions) {
    this.#options = options;
    this.#losses = new LossReport(options.warn, options.clock);
    this.#staged = new BoundedQueue(boundsOf(options.config));
  }

  get stats(): TelemetryStats {
    return { destinations: (this.#outlets ?? []).map((outlet) => outlet.stats) };
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const isSampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
    if (!isSampled || this.#isShutdown || this.#outlets?.length === 0) return;
    const bytes = this.#options.estimateSpanBytes(span);
    this.#armInterval();
    if (this.#outlets === undefined) {
      this.#staged.add(span, bytes);
      return;
    }
    for (const outlet of this.#outlets) {
      outlet.add(span, bytes);
      if (outlet.isDue) this.#schedulePump();
    }
  }

  /** Loads the destinations, once. Never rejects. */
  load(): Promise<void> {
    this.#loading ??= this.#options
      .loadDestinations()
      .then((destinations) => this.#open(destinations))
      .catch((error: unknown) => {
        this.#outlets = [];
        warnOnce(
          "destinations",
          `no exporter could be loaded, spans are dropped: ${String(error)}`,
        );
      });
    return this.#loading;
  }

  /**
   * Sends all that is buffered, starting in this tick when the destinations are loaded. Resolves when
   * all is answered, what cannot be sent now is known, or `boundMs` are over; undefined when there is
   * nothing to wait for. With `isLast`, a receiver that failed is asked as well. Never rejects.
   */
  send(boundMs: number, isLast = false): Promise<void> | undefined {
    const { clock } = this.#options;
    if (this.#outlets === undefined) {
      if (this.#staged.held === 0) return undefined;
      const startMs = clock.elapsedMs();
      const sent = this.load().then(() =>
        this.send(boundMs - (clock.elapsedMs() - startMs), isLast),
      );
      return waitAtMost(sent, boundMs, clock);
    }
    const waits = this.#outlets.map((outlet) => outlet.flush(boundMs, isLast)).filter(isPending);
    this.#losses.reportDue();
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  /** True while a span waits or is being sent. */
  get holdsSpans(): boolean {
    return this.#staged.held > 0 || (this.#outlets ?? []).some((outlet) => outlet.held > 0);
  }

  /** Moves all that is not known to have arrived to the spool. Synchronous: the process may be ending. */
  spool(): void {
    const { spool } = this.#options;
    if (spool === undefined) return;
    for (const outlet of this.#outlets ?? []) outlet.spool(spool);
  }

  /** Takes back what was spooled, by an earlier process or this one. */
  recover(): void {
    const outlets = new Map(this.#outlets?.map((outlet) => [outlet.name, outlet]));
    for (const request of this.#options.spool?.claim([...outlets.keys()]) ?? []) {
      outlets.get(request.destination)?.recover(request);
    }
  }

  /** The process ends: reports every span that is lost and was not reported yet. */
  reportLosses(): void {
    for (const outlet of this.#outlets ?? []) {
      outlet.reportDrops();
      outlet.reportUnsent();
    }
    const spans = this.#staged.held;
    const destination = "(none loaded yet)";
    if (spans > 0) this.#losses.note({ destination, reason: "process ended", spans });
    this.#losses.reportAll();
  }

  /** Holds back what would be sent in the background, until {@link resume}. */
  pause(): void {
    for (const outlet of this.#outlets ?? []) outlet.isPaused = true;
  }

  resume(): void {
    for (const outlet of this.#outlets ?? []) {
      outlet.isPaused = false;
      outlet.pump();
    }
  }

  /** The process may have been frozen. */
  wake(): void {
    for (const outlet of this.#outlets ?? []) outlet.wake();
  }

  forceFlush(): Promise<void> {
    return this.send(this.#options.config.timeoutMs) ?? Promise.resolve();
  }

  async shutdown(): Promise<void> {
    if (this.#isShutdown) return;
    await this.send(this.#options.config.timeoutMs, true);
    this.#isShutdown = true;
    this.#cancelInterval?.();
    this.reportLosses();
    for (const outlet of this.#outlets ?? []) outlet.shutdown();
  }

  #open(destinations: readonly Destination[]): void {
    const { config, clock } = this.#options;
    this.#outlets = destinations.map((destination) => {
      const outlet = new Outlet({
        destination,
        bounds: boundsOf(config),
        maxChunkSpans: config.maxChunkSpans,
        sendTimeoutMs: config.timeoutMs,
        clock,
        losses: this.#losses,
      });
      outlet.adopt(this.#staged);
      outlet.connect();
      return outlet;
    });
    this.#staged.clear();
    this.recover();
    for (const outlet of this.#outlets) outlet.pump();
  }

  /** Not in `onEnd` itself: encoding a chunk takes ms, and `span.end()` is in the handler's path. */
  #schedulePump(): void {
    if (this.#isPumpScheduled) return;
    this.#isPumpScheduled = true;
    setImmediate(() => {
      this.#isPumpScheduled = false;
      for (const outlet of this.#outlets ?? []) outlet.pump();
    });
  }

  /** What nothing else flushes, such as the spans of a handler that runs for minutes, goes now and then. */
  #armInterval(): void {
    const { clock, config } = this.#options;
    this.#cancelInterval ??= clock.after(config.intervalMs, () => {
      this.#cancelInterval = undefined;
      void this.send(0);
    });
  }
}

function boundsOf(config: FlushConfig): QueueBounds {
  return { maxSpans: config.maxBufferSpans, maxMemoryBytes: config.maxBufferBytes };
}

function isPending(wait: Promise<void> | undefined): wait is Promise<void> {
  return wait !== undefined;
}
