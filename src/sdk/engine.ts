/** The flush engine: keeps the spans of invocations and sends them in time, whatever the mode. */
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { FlushConfig } from "../config.ts";
import type { Destination } from "../export/destination.ts";
import type { InvocationSpan } from "../seam.ts";
import { AfterReturn } from "./after-return.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Flusher } from "./flusher.ts";
import type { WriteWarning } from "./loss-report.ts";
import { SpanBuffer } from "./span-buffer.ts";
import type { Spool } from "./spool.ts";
import type { TelemetryStats } from "./telemetry-stats.ts";

export interface FlushEngineOptions {
  readonly config: FlushConfig;
  /** Called once, when the destinations are first needed: at once, or after the first response. */
  readonly loadDestinations: () => Promise<readonly Destination[]>;
  /** Close to the bytes that a span takes in a request. Cheap; never throws. */
  readonly estimateSpanBytes: (span: ReadableSpan) => number;
  /** Writes one structured warning line. */
  readonly warn: WriteWarning;
  /** Where unsent spans outlive the process; nowhere when absent. */
  readonly spool?: Spool;
  /** What `after-return` needs of Lambda; without it that mode is `before-return`. */
  readonly extension?: InvocationExtension;
  /** The system's clocks when absent. */
  readonly clock?: Clock;
}

/** Lambda's extension inside the process. */
export interface InvocationExtension {
  /**
   * Asks Lambda for announcements of invocations; false when it refuses. Calls `hold` for each, and
   * keeps the environment awake until the promise resolves. `onLost`: there will be no more of them.
   * Never rejects.
   */
  register(hold: () => Promise<void>, onLost: () => void): Promise<boolean>;
  /** Resolves when the runtime has posted the response of an invocation that has just ended. */
  responsePosted(): Promise<void>;
}

export interface FlushEngine {
  readonly spanProcessor: SpanProcessor;
  /** Tells that an invocation runs; arms its deadline guard. */
  invocationStarted(invocation: InvocationSpan): void;
  /** Tells that its spans have ended; a promise means: the caller waits for it. It never rejects. */
  invocationEnded(invocation: InvocationSpan): Promise<void> | undefined;
  /**
   * Sends all that is buffered; resolves when it is answered, or after `timeoutMs` (default: the
   * configured bound), or before the nearest deadline. Never rejects.
   */
  flush(timeoutMs?: number): Promise<void>;
  /** As {@link flush}, when the process is about to end: a receiver that failed is asked as well. */
  flushLast(timeoutMs: number): Promise<void>;
  /** The process ends under the invocations that run: ends their spans as failed. Synchronous. */
  abortInvocations(errorType: string, message: string): void;
  /** Moves what is not known to have arrived to the spool, and reports losses. Synchronous. */
  spool(): void;
  stats(): TelemetryStats;
  /** Flushes and closes the destinations. Never rejects. */
  shutdown(): Promise<void>;
}

export function createFlushEngine(options: FlushEngineOptions): FlushEngine {
  const { config, extension, clock = systemClock() } = options;
  const buffer = new SpanBuffer({ ...options, clock });
  const afterReturn =
    config.mode === "after-return" ? startAfterReturn(extension, buffer, clock) : undefined;
  const flusher = new Flusher({
    config,
    buffer,
    clock,
    onAborted: (done) => afterReturn?.invocationAborted(done),
  });
  // With `after-return` the first response goes out before anything is loaded for the export, unless
  // there is something to export already.
  if (afterReturn === undefined || options.spool?.isEmpty === false) void buffer.load();

  return {
    spanProcessor: buffer,
    invocationStarted(invocation) {
      if (flusher.isIdle) afterReturn?.invocationStarted();
      flusher.invocationStarted(invocation);
    },
    invocationEnded(invocation) {
      flusher.invocationEnded(invocation);
      const flush = (): Promise<void> | undefined => flusher.flush(config.timeoutMs, [invocation]);
      if (config.mode === "periodic") return undefined;
      if (afterReturn === undefined) return flush();
      // An invocation inside another one leaves the flush to it.
      if (!flusher.isIdle) return undefined;
      return afterReturn.invocationEnded(flush) ? undefined : flush();
    },
    async flush(timeoutMs = config.timeoutMs) {
      await flusher.flush(timeoutMs);
    },
    flushLast: (timeoutMs) => flusher.flushLast(timeoutMs),
    abortInvocations: (errorType, message) => flusher.abortAll(errorType, message),
    spool() {
      flusher.spool();
      buffer.reportLosses();
    },
    stats: () => buffer.stats,
    shutdown: () => buffer.shutdown(),
  };
}

function startAfterReturn(
  extension: InvocationExtension | undefined,
  buffer: SpanBuffer,
  clock: Clock,
): AfterReturn | undefined {
  if (extension === undefined) return undefined;
  const afterReturn = new AfterReturn({
    clock,
    responsePosted: () => extension.responsePosted(),
    pause: () => buffer.pause(),
    resume: () => buffer.resume(),
    sendSoon: () => void buffer.send(0),
  });
  const isRegistered = extension.register(
    () => afterReturn.hold(),
    () => afterReturn.unregistered(),
  );
  void isRegistered.then((isTrue) => {
    if (isTrue) afterReturn.registered();
    else void buffer.load();
  });
  return afterReturn;
}
