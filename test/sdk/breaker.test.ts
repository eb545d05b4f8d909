import { describe, expect, test } from "vitest";
import { Breaker } from "../../src/sdk/breaker.ts";
import {
  numbered,
  ScriptedDestination,
  SENT,
  settle,
  startEngine,
  type TestEngine,
  UNAVAILABLE,
  VirtualClock,
} from "../support/flush.ts";

/** Accepts and never answers: each send ends as its own timeout says. */
function blackHole(clock: VirtualClock): ScriptedDestination {
  return new ScriptedDestination(
    (_names, timeoutMs) =>
      new Promise((resolve) => {
        const outcome = { ...UNAVAILABLE, answerLost: true };
        clock.after(timeoutMs, () => resolve(outcome));
      }),
  );
}

/** Virtual ms that the caller of one invocation waits for its flush. */
async function waitOf(
  engine: TestEngine,
  clock: VirtualClock,
  deadlineMs: number,
): Promise<number> {
  const invocation = { deadlineMs, abort: () => {} };
  engine.invocationStarted(invocation);
  engine.end(...numbered("span", 3));
  await settle();
  let isDone = false;
  const flushed = engine.invocationEnded(invocation);
  void (flushed ?? Promise.resolve()).then(() => {
    isDone = true;
  });
  await settle();
  let waitedMs = 0;
  while (!isDone) {
    await clock.pass(1);
    waitedMs++;
  }
  return waitedMs;
}

describe("a receiver that swallows everything", () => {
  test.each([
    ["without a pause", 0],
    ["a second apart", 1_000],
    ["frozen for an hour in between", 3_600_000],
  ])("costs 100 invocations one flush timeout and 5 ms each at most, %s", async (_, pauseMs) => {
    const clock = new VirtualClock();
    const engine = startEngine([blackHole(clock)], {}, { clock });
    await settle();
    let waitedMs = 0;
    for (let i = 0; i < 100; i++) {
      waitedMs += await waitOf(engine, clock, Number.POSITIVE_INFINITY);
      await clock.freeze(pauseMs);
    }
    expect(waitedMs).toBeLessThanOrEqual(4_000 + 100 * 5);
    expect(engine.counts()).toMatchObject({ recorded: 300, buffered: 300 });
  });

  test("costs no more when deadlines cut each flush short", async () => {
    const clock = new VirtualClock();
    const engine = startEngine([blackHole(clock)], {}, { clock });
    await settle();
    let waitedMs = 0;
    for (let i = 0; i < 100; i++) waitedMs += await waitOf(engine, clock, clock.wallMs() + 1_000);
    expect(waitedMs).toBeLessThanOrEqual(4_000 + 100 * 5);
  });

  test("delivers every buffered span once when it comes back", async () => {
    const clock = new VirtualClock();
    const destination = blackHole(clock);
    const engine = startEngine([destination], {}, { clock });
    await settle();
    engine.end(...numbered("early", 35));
    void engine.flush();
    await clock.pass(4_000);
    expect(engine.counts().breaker).toBe("open");
    engine.end(...numbered("late", 36));
    destination.script = () => SENT;
    await clock.pass(700);
    expect(engine.counts()).toMatchObject({ breaker: "closed", sent: 71, buffered: 0 });
    expect(new Set(destination.taken).size).toBe(71);
    expect(destination.taken).toHaveLength(71);
  });

  test("is probed with one request at a time, less and less often", async () => {
    const clock = new VirtualClock();
    const destination = new ScriptedDestination(() => UNAVAILABLE);
    const engine = startEngine([destination], {}, { clock });
    await settle();
    engine.end(...numbered("span", 100));
    await engine.flush();
    const before = destination.requests.length;
    await clock.pass(60_000);
    const probes = destination.requests.length - before;
    expect(destination.mostUnderWay).toBeLessThanOrEqual(4);
    // 0.5 + 1 + 2 + 4 + 8 + 15 + 15 s, each ± 20 %.
    expect(probes).toBeGreaterThanOrEqual(5);
    expect(probes).toBeLessThanOrEqual(8);
  });

  test("is asked again at the first invocation after a long freeze", async () => {
    const clock = new VirtualClock();
    const destination = new ScriptedDestination(() => UNAVAILABLE);
    const engine = startEngine([destination], {}, { clock });
    await settle();
    engine.end("a");
    await engine.flush();
    destination.script = () => SENT;
    await clock.freeze(3_600_000);
    expect(await waitOf(engine, clock, Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(5);
    expect(engine.counts()).toMatchObject({ breaker: "closed", buffered: 0 });
  });
});

test("the last flush of a process asks a receiver that failed a moment ago", async () => {
  const destination = new ScriptedDestination(() => UNAVAILABLE);
  const engine = startEngine([destination], {}, { clock: new VirtualClock() });
  engine.end(...numbered("span", 25));
  await engine.flush();
  destination.script = () => SENT;
  await engine.flush();
  expect(destination.taken).toEqual([]);
  await engine.flushLast(300);
  expect(engine.counts()).toMatchObject({ sent: 25, buffered: 0 });
});

test("a receiver's own wish for a pause is kept", async () => {
  const clock = new VirtualClock();
  const destination = new ScriptedDestination(() => ({ ...UNAVAILABLE, retryInMillis: 60_000 }));
  const engine = startEngine([destination], {}, { clock });
  await settle();
  engine.end("a");
  await engine.flush();
  destination.script = () => SENT;
  await clock.pass(59_999);
  expect(destination.taken).toEqual([]);
  await clock.pass(1);
  expect(destination.taken).toEqual(["a"]);
});

test("sends that fail together make one pause, not a longer one each", () => {
  const breaker = new Breaker();
  for (let i = 0; i < 4; i++) breaker.failed(1_000);
  expect(breaker.mayProbe(1_000 + 399)).toBe(false);
  expect(breaker.mayProbe(1_000 + 600)).toBe(true);
});
