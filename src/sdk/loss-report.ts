/** Says what was dropped: one structured line at a time, never one per span. */
import type { Clock } from "./clock.ts";

export type LossReason = "buffer full" | "refused" | "too large" | "process ended";

export interface Loss {
  readonly destination: string;
  readonly reason: LossReason;
  readonly spans: number;
  /** What the receiver or the encoder said. */
  readonly error?: string;
}

/** Writes one warning line with fields that a log query can read. */
export type WriteWarning = (message: string, fields: Loss) => void;

/** A cause that goes on is reported again after this long, with the sum of what it cost. */
const QUIET_MS = 30_000;

interface Cause {
  readonly loss: Loss;
  unreported: number;
  lastReportMs: number;
}

export class LossReport {
  readonly #write: WriteWarning;
  readonly #clock: Clock;
  readonly #causes = new Map<string, Cause>();

  constructor(write: WriteWarning, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
  }

  /** Reports a loss now, or adds it to the line that comes after the quiet time. */
  note(loss: Loss): void {
    const key = `${loss.destination} ${loss.reason}`;
    const { unreported = 0, lastReportMs = Number.NEGATIVE_INFINITY } = this.#causes.get(key) ?? {};
    this.#causes.set(key, { loss, unreported: unreported + loss.spans, lastReportMs });
    this.reportDue();
  }

  /** Reports what a quiet time that is over has held back. */
  reportDue(): void {
    const dueMs = this.#clock.elapsedMs() - QUIET_MS;
    for (const cause of this.#causes.values()) if (cause.lastReportMs <= dueMs) this.#report(cause);
  }

  /** Reports the rest: the process is about to end. */
  reportAll(): void {
    for (const cause of this.#causes.values()) this.#report(cause);
  }

  #report(cause: Cause): void {
    const spans = cause.unreported;
    if (spans === 0) return;
    cause.unreported = 0;
    cause.lastReportMs = this.#clock.elapsedMs();
    this.#write(`${spans} span${spans === 1 ? "" : "s"} dropped: ${cause.loss.reason}`, {
      ...cause.loss,
      spans,
    });
  }
}
