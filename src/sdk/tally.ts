/** Counts what became of one destination's spans, and reports what was dropped. */

import { warnOnce } from "../diag.ts";
import type { SendOutcome } from "../export/destination.ts";
import type { Backlog, Parcel } from "./backlog.ts";
import type { BreakerState } from "./breaker.ts";
import type { LossReason, LossReport } from "./loss-report.ts";
import type { DestinationStats } from "./telemetry-stats.ts";

export class Tally {
  readonly #destination: string;
  readonly #losses: LossReport;
  #recovered = 0;
  #spooled = 0;
  #sent = 0;
  #refused = 0;
  #unsendable = 0;
  #retried = 0;
  #resent = 0;
  #reportedOverflow = 0;
  #reportedTooLarge = 0;

  constructor(destination: string, losses: LossReport) {
    this.#destination = destination;
    this.#losses = losses;
  }

  recovered(spans: number): void {
    this.#recovered += spans;
  }

  spooled(spans: number): void {
    this.#spooled += spans;
  }

  sending(parcel: Parcel): void {
    this.#resent += parcel.repeats;
  }

  unsendable(error: string): void {
    this.#unsendable++;
    this.#report("too large", 1, error);
  }

  /** Books a send's outcome. */
  settled({ spanCount }: Parcel, outcome: SendOutcome): void {
    this.#resent += (outcome.resends ?? 0) * spanCount;
    switch (outcome.status) {
      case "retryable":
        this.#retried += spanCount;
        warnOnce(
          `outage ${this.#destination}`,
          `${this.#destination} failed, spans are kept and sent later: ${outcome.error.message}`,
        );
        return;
      case "failure":
        this.#refused += spanCount;
        this.#report("refused", spanCount, outcome.error.message);
        return;
      case "success": {
        const refused = Math.min(outcome.rejectedSpans ?? 0, spanCount);
        this.#sent += spanCount - refused;
        this.#refused += refused;
        this.#report("refused", refused, "partial success");
      }
    }
  }

  /** Reports what the queue itself has dropped since the last time: too much to say span by span. */
  reportDrops({ queue }: Backlog): void {
    const overflow = queue.overflowed - this.#reportedOverflow;
    const tooLarge = queue.tooLarge - this.#reportedTooLarge;
    this.#reportedOverflow += overflow;
    this.#reportedTooLarge += tooLarge;
    this.#report("buffer full", overflow);
    this.#report("too large", tooLarge);
  }

  /** Reports what no process will send. */
  reportUnsent({ queue }: Backlog): void {
    this.#report("process ended", queue.held);
  }

  stats({ queue, held }: Backlog, breaker: BreakerState): DestinationStats {
    return {
      destination: this.#destination,
      recorded: queue.recorded,
      recovered: this.#recovered,
      sent: this.#sent,
      dropped: {
        overflow: queue.overflowed,
        permanent: this.#refused,
        tooLarge: queue.tooLarge + this.#unsendable,
      },
      retried: this.#retried,
      resentAfterLostAnswer: this.#resent,
      buffered: held,
      spooled: this.#spooled,
      breaker,
    };
  }

  #report(reason: LossReason, spans: number, error?: string): void {
    if (spans === 0) return;
    const cause = error === undefined ? {} : { error };
    this.#losses.note({ destination: this.#destination, reason, spans, ...cause });
  }
}
