import { expect, test } from "vitest";
import { DeadlineGuard } from "../../src/sdk/deadline-guard.ts";
import type { InvocationSpan } from "../../src/seam.ts";
import { runScript } from "../support/child.ts";
import {
  numbered,
  ScriptedDestination,
  SENT,
  settle,
  startEngine,
  VirtualClock,
} from "../support/flush.ts";

function watch(): { clock: VirtualClock; guard: DeadlineGuard; due: InvocationSpan[] } {
  const clock = new VirtualClock();
  const due: InvocationSpan[] = [];
  const onDue = (invocation: InvocationSpan) => due.push(invocation);
  return { clock, due, guard: new DeadlineGuard({ marginMs: 300, clock, onDue }) };
}

function endingIn(clock: VirtualClock, ms: number): InvocationSpan {
  return { deadlineMs: clock.wallMs() + ms, abort: () => {} };
}

test("an invocation that still runs is acted for once, the margin before its deadline", async () => {
  const { clock, guard, due } = watch();
  const invocation = endingIn(clock, 3_000);
  guard.arm(invocation);
  await clock.pass(2_699);
  expect(due).toEqual([]);
  await clock.pass(10_000);
  expect(due).toEqual([invocation]);
});

test("of 64 invocations at once only those that run too long are acted for", async () => {
  const { clock, guard, due } = watch();
  const invocations = Array.from({ length: 64 }, (_, index) => endingIn(clock, 1_000 + index));
  for (const invocation of invocations) guard.arm(invocation);
  for (const invocation of invocations.filter((_, index) => index % 3 > 0))
    guard.disarm(invocation);
  await clock.pass(5_000);
  expect(due).toEqual(invocations.filter((_, index) => index % 3 === 0));
});

test.each([Number.POSITIVE_INFINITY, Number.NaN, -1, 0])(
  "a deadline of %d is none to act for",
  async (deadlineMs) => {
    const { clock, guard, due } = watch();
    guard.arm({ deadlineMs, abort: () => {} });
    await clock.pass(100_000_000);
    expect(due).toEqual([]);
  },
);

test("a function with less time than the margin keeps half of it", async () => {
  const { clock, guard, due } = watch();
  guard.arm(endingIn(clock, 200));
  await clock.pass(99);
  expect(due).toHaveLength(0);
  await clock.pass(1);
  expect(due).toHaveLength(1);
});

test("a freeze across the deadline makes it act at the thaw", async () => {
  const { clock, guard, due } = watch();
  guard.arm(endingIn(clock, 3_000));
  await clock.freeze(60_000);
  expect(due).toHaveLength(1);
});

test("a deadline beyond the longest timer is acted for in its time", async () => {
  const { clock, guard, due } = watch();
  const realAfter = clock.after.bind(clock);
  clock.after = (delayMs, run) => realAfter(Math.min(delayMs, 2_147_483_647), run);
  guard.arm(endingIn(clock, 3_000_000_000));
  await clock.pass(2_999_999_600);
  expect(due).toHaveLength(0);
  await clock.pass(100);
  expect(due).toHaveLength(1);
});

test("the invocation's spans are ended as timed out and sent before the deadline", async () => {
  const clock = new VirtualClock();
  const destination = new ScriptedDestination();
  const engine = startEngine([destination], {}, { clock });
  await settle();
  const aborts: string[] = [];
  engine.invocationStarted({
    deadlineMs: clock.wallMs() + 1_000,
    abort(errorType) {
      aborts.push(errorType);
      engine.end("invocation");
    },
  });
  engine.end("child");
  await clock.pass(700);
  expect(aborts).toEqual(["timeout"]);
  expect(destination.taken).toEqual(["child", "invocation"]);
});

test("an invocation that ended is never aborted", async () => {
  const clock = new VirtualClock();
  const engine = startEngine([new ScriptedDestination()], {}, { clock });
  const aborts: string[] = [];
  const invocation = { deadlineMs: clock.wallMs() + 1_000, abort: () => aborts.push("aborted") };
  engine.invocationStarted(invocation);
  void engine.invocationEnded(invocation);
  await clock.pass(5_000);
  expect(aborts).toEqual([]);
});

test("no deadline is enforced where many invocations run at once", async () => {
  const clock = new VirtualClock();
  const engine = startEngine([new ScriptedDestination()], { mode: "periodic" }, { clock });
  const aborts: string[] = [];
  engine.invocationStarted({
    deadlineMs: clock.wallMs() + 1_000,
    abort: () => aborts.push("aborted"),
  });
  await clock.pass(5_000);
  expect(aborts).toEqual([]);
});

test("64 overlapping invocations lose and double nothing", async () => {
  const clock = new VirtualClock();
  const destination = new ScriptedDestination(() => settle().then(() => SENT));
  const engine = startEngine([destination], { mode: "periodic" }, { clock });
  const work = Array.from({ length: 64 }, async (_, index) => {
    const invocation = { deadlineMs: Number.POSITIVE_INFINITY, abort: () => {} };
    engine.invocationStarted(invocation);
    for (let turn = 0; turn < 5; turn++) {
      await settle();
      engine.end(...numbered(`${index}-${turn}`, 3));
    }
    expect(engine.invocationEnded(invocation)).toBeUndefined();
  });
  await Promise.all(work);
  await clock.pass(6_000);
  await expect.poll(() => engine.counts().buffered).toBe(0);
  expect(destination.taken).toHaveLength(960);
  expect(new Set(destination.taken).size).toBe(960);
});

test("an armed guard does not keep a process alive", async () => {
  const { code, stdout } = await runScript(`
    import { DeadlineGuard } from "./src/sdk/deadline-guard.ts";
    import { systemClock } from "./src/sdk/clock.ts";
    const guard = new DeadlineGuard({ marginMs: 300, clock: systemClock(), onDue: () => console.log("due") });
    guard.arm({ deadlineMs: Date.now() + 3_600_000, abort() {} });
    console.log("armed");
  `);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "armed\n" });
});
