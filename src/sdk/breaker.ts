/** Stops asking a receiver that does not answer, and says when to ask it again. */

export type BreakerState = "closed" | "open" | "probing";

/** First pause: a receiver that restarts is back within a second or so. */
const FIRST_PAUSE_MS = 500;
/** Longest pause: what a receiver that came back waits at most for the buffered spans. */
const LAST_PAUSE_MS = 15_000;
/** Each pause is 80 % to 120 % of its value: environments must not come back in step. */
const JITTER = 0.2;

/**
 * One failure opens it: a destination retries within its own send, so a failed send has cost its whole
 * time already. Times are readings of {@link Clock.elapsedMs}, which counts freezes: after a thaw the
 * pause is over and the next probe is due.
 */
export class Breaker {
  #state: BreakerState = "closed";
  #pauseMs = FIRST_PAUSE_MS;
  #probeAtMs = 0;

  get state(): BreakerState {
    return this.#state;
  }

  /** True when one send may go out to find out whether the receiver is back. */
  mayProbe(nowMs: number): boolean {
    return this.#state === "open" && nowMs >= this.#probeAtMs;
  }

  /** Ms until {@link mayProbe}. */
  msUntilProbe(nowMs: number): number {
    return Math.max(0, this.#probeAtMs - nowMs);
  }

  probeStarted(): void {
    this.#state = "probing";
  }

  /** The receiver has answered, whatever it said. */
  answered(): void {
    this.#state = "closed";
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** The process ends: whatever the receiver did, it is asked a last time. */
  giveLastChance(): void {
    this.#state = "closed";
  }

  /** No answer, or one that asks for time: `wishMs` is the pause that the receiver named. */
  failed(nowMs: number, wishMs = 0): void {
    if (this.#state === "open") {
      // Sends that were under way together fail together: one incident, one pause.
      this.#probeAtMs = Math.max(this.#probeAtMs, nowMs + wishMs);
      return;
    }
    const jitter = 1 - JITTER + 2 * JITTER * Math.random();
    this.#probeAtMs = nowMs + Math.max(this.#pauseMs * jitter, wishMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS);
    this.#state = "open";
  }
}
