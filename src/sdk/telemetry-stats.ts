/** The numbers behind `telemetryStats()`. */
import type { BreakerState } from "./breaker.ts";

/**
 * Spans of one destination since the process started.
 * `recorded + recovered = sent + dropped (all three) + buffered + spooled`, always.
 */
export interface DestinationStats {
  /** The destination's name, such as `otlp/grpc collector:4317`. */
  readonly destination: string;
  /** Sampled spans that ended. */
  readonly recorded: number;
  /** Spans that an earlier process of this environment left behind. */
  readonly recovered: number;
  /** Spans that the receiver took. */
  readonly sent: number;
  readonly dropped: DroppedStats;
  /** Spans kept for another send after one that failed, counted once per failure. */
  readonly retried: number;
  /** Spans sent again although an earlier answer was lost: the receiver may have them twice. */
  readonly resentAfterLostAnswer: number;
  /** Spans in memory, those being sent included. */
  readonly buffered: number;
  /** Spans written to disk for the next process of this environment. */
  readonly spooled: number;
  /** `open`: the receiver did not answer and is left alone for a while. */
  readonly breaker: BreakerState;
}

export interface DroppedStats {
  /** The oldest ones, dropped because the buffer was full. */
  readonly overflow: number;
  /** Refused by the receiver for good. */
  readonly permanent: number;
  /** Alone larger than a request or the buffer may be, or impossible to encode. */
  readonly tooLarge: number;
}

/** A snapshot; one entry per destination. Empty before the destinations are loaded. */
export interface TelemetryStats {
  readonly destinations: readonly DestinationStats[];
}
