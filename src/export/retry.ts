/** Tries a request until it is answered for good or its time is up (OTLP, "Failures"). */
import type { SendOutcome } from "./destination.ts";

/** What one try came to. */
export interface Attempt {
  readonly outcome: SendOutcome;
  /**
   * True when the connection, not the receiver, gave out: one more try needs no waiting.
   * Also grants that one try to an outcome that is otherwise final.
   */
  readonly retryNow?: boolean;
}

/**
 * First wait: a few round trips, so that a blip costs little of a flush bound of seconds.
 * It doubles up to the last value, which still leaves some tries within that bound.
 */
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 1600;

/** A try with less time than this to run would only lose its answer. */
const MIN_TRY_MS = 50;

/** Each wait is 75 % to 125 % of its value: many environments must not come back in step. */
const JITTER = 0.25;

/**
 * Settles within `timeoutMs`, once. A wait that reaches beyond it is not begun: the outcome is returned
 * at once as `retryable`, with the server's wish in `retryInMillis`. The error is that of the last try
 * that neither the deadline nor `closing` cut short.
 *
 * @param attempt one try, given the ms that are left; must settle within them and never reject
 * @param closing ends the waits, and with them the tries
 */
export async function sendWithRetries(
  attempt: (timeLeftMs: number) => Promise<Attempt>,
  timeoutMs: number,
  closing: AbortSignal,
): Promise<SendOutcome> {
  const deadline = performance.now() + timeoutMs;
  const hasTimeAfter = (waitMs: number): boolean =>
    !closing.aborted && waitMs <= deadline - performance.now() - MIN_TRY_MS;
  let backoffMs = FIRST_BACKOFF_MS;
  let mayRetryNow = true;
  let resends = 0;
  let answerLost = false;
  let reason: Error | undefined;
  for (;;) {
    const { outcome, retryNow = false } = await attempt(deadline - performance.now());
    const isFree = retryNow && mayRetryNow;
    if (outcome.status === "success" || (outcome.status === "failure" && !isFree)) {
      return withResends(outcome, resends);
    }
    const wasLost = outcome.status === "failure" || outcome.answerLost;
    answerLost ||= wasLost;
    // What cut a try short tells less than what the try before it met.
    if (reason === undefined || hasTimeAfter(0)) reason = outcome.error;
    const last = outcome.status === "failure" ? outcome : { ...outcome, error: reason, answerLost };
    const waitMs = isFree ? 0 : waitBefore(outcome, backoffMs);
    if (!hasTimeAfter(waitMs)) return withResends(last, resends);
    if (waitMs > 0) await wait(waitMs, closing);
    // A freeze makes a wait longer than it was meant to be.
    if (!hasTimeAfter(0)) return withResends(last, resends);
    if (isFree) mayRetryNow = false;
    else backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS);
    if (wasLost) resends++;
  }
}

/** The server's wish when it has one, yet never so short that it makes a tight loop. */
function waitBefore(outcome: SendOutcome, backoffMs: number): number {
  const wish = outcome.status === "retryable" ? outcome.retryInMillis : undefined;
  if (wish !== undefined) return Math.max(wish, FIRST_BACKOFF_MS);
  return backoffMs * (1 - JITTER + 2 * JITTER * Math.random());
}

function withResends(outcome: SendOutcome, resends: number): SendOutcome {
  return resends === 0 ? outcome : { ...outcome, resends };
}

/** The timer keeps the event loop alive: someone awaits this send. */
function wait(timeMs: number, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (closing.aborted) return resolve();
    const finish = (): void => {
      clearTimeout(timer);
      closing.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, timeMs);
    closing.addEventListener("abort", finish);
  });
}
