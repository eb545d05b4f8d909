/** The flush engine: keeps the spans of invocations and sends them in time, whatever the mode. */
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { FlushConfig } from "../config.ts";
import type { Destination } from "../export/destination.ts";
import type { InvocationSpan } from "../seam.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { WriteWarning } from "./loss-report.ts";
import { SpanBuffer } from "./span-buffer.ts";
import type { TelemetryStats } from "./telemetry-stats.ts";

export interface FlushEngineOptions {
  readonly config: FlushConfig;
  /** Called once, when the destinations are first needed: at once, or after the first response. */
  readonly loadDestinations: () => Promise<readonly Destination[]>;
  /** Close to the bytes that a span takes in a request. Cheap; never throws. */
  readonly estimateSpanBytes: (span: ReadableSpan) => number;
  /** Writes one structured warning line. */
  readonly warn: WriteWarning;
  /** The system's clocks when absent. */
  readonly clock?: Clock;
}

export interface FlushEngine {
  readonly spanProcessor: SpanProcessor;
  /** Tells that an invocation runs. */
  invocationStarted(invocation: InvocationSpan): void;
  /** Tells that its spans have ended; a promise means: the caller waits for it. It never rejects. */
  invocationEnded(invocation: InvocationSpan): Promise<void> | undefined;
  /**
   * Sends all that is buffered; resolves when it is answered, or after `timeoutMs` (default: the
   * configured bound), or before the nearest deadline. Never rejects.
   */
  flush(timeoutMs?: number): Promise<void>;
  stats(): TelemetryStats;
  /** Flushes and closes the destinations. Never rejects. */
  shutdown(): Promise<void>;
}

export function createFlushEngine(options: FlushEngineOptions): FlushEngine {
  const { config, clock = systemClock() } = options;
  const buffer = new SpanBuffer({ ...options, clock, recover: () => [] });
  const running = new Set<InvocationSpan>();
  void buffer.load();

  const boundMs = (timeoutMs: number, deadlines: Iterable<InvocationSpan>): number => {
    let latestMs = timeoutMs;
    for (const { deadlineMs } of deadlines) {
      const leftMs = deadlineMs - config.deadlineMarginMs - clock.wallMs();
      if (leftMs < latestMs) latestMs = leftMs;
    }
    return Math.max(0, latestMs);
  };

  return {
    spanProcessor: buffer,
    invocationStarted(invocation) {
      running.add(invocation);
    },
    invocationEnded(invocation) {
      running.delete(invocation);
      if (config.mode === "periodic") return undefined;
      return buffer.send(boundMs(config.timeoutMs, [invocation]));
    },
    async flush(timeoutMs = config.timeoutMs) {
      await buffer.send(boundMs(timeoutMs, running));
    },
    stats: () => buffer.stats,
    shutdown: () => buffer.shutdown(),
  };
}
