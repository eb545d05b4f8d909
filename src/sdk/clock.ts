/** Time as the flush engine needs it; tests bring their own. */

export interface Clock {
  /** Unix time in ms, the clock of Lambda's deadlines. */
  wallMs(): number;
  /** Ms since some moment; never runs backwards, and counts the time in which the process was frozen. */
  elapsedMs(): number;
  /**
   * Calls `run` once after `delayMs`, or later when the process was frozen; the returned function
   * cancels. Unless `keepsAlive`, the timer does not hold the event loop.
   */
  after(delayMs: number, run: () => void, keepsAlive?: boolean): () => void;
}

/** What `setTimeout` takes; above it, Node fires at once, and of less than nothing it warns. */
const MAX_TIMER_MS = 2_147_483_647;

/** The system's clocks. */
export function systemClock(): Clock {
  const originMs = performance.now();
  const wallOriginMs = Date.now();
  let latestMs = 0;
  return {
    wallMs: () => Date.now(),
    elapsedMs() {
      // In a freeze the monotonic clock may stand still and the wall clock is set right after it;
      // a wall clock that is set back must not undo time that has passed.
      const elapsedMs = Math.max(performance.now() - originMs, Date.now() - wallOriginMs);
      latestMs = Math.max(latestMs, elapsedMs);
      return latestMs;
    },
    after(delayMs, run, keepsAlive = false) {
      const timer = setTimeout(run, Math.max(0, Math.min(delayMs, MAX_TIMER_MS)));
      if (!keepsAlive) timer.unref();
      return () => clearTimeout(timer);
    },
  };
}

/**
 * Resolves with `work`, or when `boundMs` are over; rejects only as `work` does. While it waits the
 * event loop is held: connections may not hold it, and an empty loop would end the process.
 */
export function waitAtMost(work: Promise<void>, boundMs: number, clock: Clock): Promise<void> {
  if (boundMs <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const cancel = clock.after(boundMs, resolve, true);
    work.then(resolve, reject).finally(cancel);
  });
}
