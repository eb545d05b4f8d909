import { expect, onTestFinished, test, vi } from "vitest";
import type { SendOutcome } from "../../src/export/destination.ts";
import { type Attempt, sendWithRetries } from "../../src/export/retry.ts";

const SUCCESS: Attempt = { outcome: { status: "success" } };
const BUSY: Attempt = { outcome: retryable({ answerLost: false }) };
const LOST: Attempt = { outcome: retryable({ answerLost: true }) };

function retryable(own: { answerLost: boolean; retryInMillis?: number }): SendOutcome {
  return { status: "retryable", error: new Error("busy"), ...own };
}

/** Plays these attempts, the last one for ever; counts them. */
async function play(attempts: readonly Attempt[], timeoutMs = 2000, closing?: AbortSignal) {
  let tries = 0;
  const outcome = await sendWithRetries(
    async () => attempts[Math.min(tries++, attempts.length - 1)] ?? SUCCESS,
    timeoutMs,
    closing ?? new AbortController().signal,
  );
  return { outcome, tries };
}

test("an answer ends it", async () => {
  expect(await play([SUCCESS])).toEqual({ outcome: { status: "success" }, tries: 1 });
});

test("only resends after a lost answer are counted", async () => {
  expect(await play([BUSY, LOST, BUSY, SUCCESS])).toEqual({
    outcome: { status: "success", resends: 1 },
    tries: 4,
  });
});

test("a try that is cut short does not hide what the one before it met", async () => {
  const late: Attempt = {
    outcome: { status: "retryable", error: new Error("no time"), answerLost: true },
  };
  let tries = 0;
  const attempt = (timeLeftMs: number): Promise<Attempt> =>
    tries++ === 0
      ? Promise.resolve(BUSY)
      : new Promise((resolve) => setTimeout(resolve, timeLeftMs, late));

  const outcome = await sendWithRetries(attempt, 400, new AbortController().signal);

  expect(outcome).toMatchObject({ error: { message: "busy" }, answerLost: true });
  expect(tries).toBe(2);
});

test("no try begins when a freeze has made the wait longer than the deadline", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const playing = play([BUSY], 1000);

  await vi.advanceTimersByTimeAsync(0);
  vi.advanceTimersByTime(60_000);

  expect(await playing).toMatchObject({ outcome: { status: "retryable" }, tries: 1 });
});

test("an answer once lost stays in doubt whatever came later", async () => {
  const { outcome } = await play([LOST, BUSY], 1000);

  expect(outcome).toMatchObject({ status: "retryable", answerLost: true, resends: 1 });
});

test("a wait beyond the deadline is not begun", async () => {
  const wish: Attempt = { outcome: retryable({ answerLost: false, retryInMillis: 1000 }) };

  expect(await play([wish], 900)).toEqual({ outcome: wish.outcome, tries: 1 });
});

test("a wish of no wait at all does not make a tight loop", async () => {
  const wish: Attempt = { outcome: retryable({ answerLost: false, retryInMillis: 0 }) };

  const { tries } = await play([wish], 600);

  expect(tries).toBeLessThanOrEqual(6);
});

test("a free try is granted once, to a final outcome too", async () => {
  const failure: SendOutcome = { status: "failure", error: new Error("reset") };

  expect(await play([{ outcome: failure, retryNow: true }])).toEqual({
    outcome: { ...failure, resends: 1 },
    tries: 2,
  });
});

test("no time at all is still one try", async () => {
  expect(await play([BUSY], 0)).toMatchObject({ tries: 1 });
});

test("closing ends the waits and the tries", async () => {
  const closing = new AbortController();
  const wish: Attempt = { outcome: retryable({ answerLost: false, retryInMillis: 50_000 }) };
  const playing = play([wish, SUCCESS], 60_000, closing.signal);
  setImmediate(() => closing.abort());

  expect(await playing).toEqual({ outcome: wish.outcome, tries: 1 });
});
