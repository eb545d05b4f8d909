/** A clock that moves only when told to: freezes and timeouts cost no time, and a busy machine changes nothing. */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { onTestFinished, vi } from "vitest";

/** Turns of the event loop: more than any exchange between two ends in this process takes. */
const TURNS = 30;
/** Of the machine's own clock: what the kernel may need in between. */
const PAUSE_MS = 3;

/** Until the test's end `Date` stands still. */
export function stopDate(): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
}

/** Until the test's end `Date` stands still, and so does what waits for a timer. */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

/** What is on its way between two ends in this process arrives. */
export async function settle(): Promise<void> {
  await sleep(PAUSE_MS);
  for (let count = 0; count < TURNS; count++) await turn();
}

/** What a function sees of a freeze: the wall clock jumps, and no timer has run. */
export async function freeze(timeMs: number): Promise<void> {
  await settle();
  vi.setSystemTime(Date.now() + timeMs);
}

/** Lets time pass until the promise settles. */
export async function passTimeUntil<T>(promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = (): void => {
    isSettled = true;
  };
  promise.then(settled, settled);
  while (!isSettled) {
    await settle();
    vi.advanceTimersByTime(50);
  }
  return promise;
}
