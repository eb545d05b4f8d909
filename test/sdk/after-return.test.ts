import { describe, expect, test } from "vitest";
import type { InvocationSpan } from "../../src/seam.ts";
import {
  numbered,
  ScriptedDestination,
  settle,
  startEngine,
  type TestEngine,
  VirtualClock,
} from "../support/flush.ts";

/** Lambda's side of the extension: announces invocations, sees what holds the environment awake. */
class Announcer {
  hold: () => Promise<void> = () => Promise.reject(new Error("not registered"));
  lose: () => void = () => {};
  /** Announcements that are held at this moment. */
  held = 0;
  postResponse: () => void = () => {};

  readonly #isAccepted: boolean;

  constructor(isAccepted = true) {
    this.#isAccepted = isAccepted;
  }

  register(hold: () => Promise<void>, onLost: () => void): Promise<boolean> {
    this.hold = hold;
    this.lose = onLost;
    return Promise.resolve(this.#isAccepted);
  }

  responsePosted(): Promise<void> {
    return new Promise((resolve) => {
      this.postResponse = resolve;
    });
  }

  announce(): void {
    this.held++;
    void this.hold().then(() => {
      this.held--;
    });
  }
}

interface Setup {
  readonly clock: VirtualClock;
  readonly lambda: Announcer;
  readonly destination: ScriptedDestination;
  readonly engine: TestEngine;
}

async function setUp(lambda = new Announcer(), maxChunkSpans = 10): Promise<Setup> {
  const clock = new VirtualClock();
  const destination = new ScriptedDestination();
  const config = { mode: "after-return", maxChunkSpans } as const;
  const engine = startEngine([destination], config, { clock, extension: lambda });
  await settle();
  return { clock, lambda, destination, engine };
}

function invocation(clock: VirtualClock, timeoutMs = 3_000): InvocationSpan {
  return { deadlineMs: clock.wallMs() + timeoutMs, abort: () => {} };
}

describe("with the extension registered", () => {
  test("the caller waits for nothing, and the environment is held until the spans are out", async () => {
    const { clock, lambda, destination, engine } = await setUp();
    const running = invocation(clock);
    lambda.announce();
    engine.invocationStarted(running);
    engine.end("a");
    expect(engine.invocationEnded(running)).toBeUndefined();
    await settle();
    expect(destination.requests, "nothing is sent before the response is out").toEqual([]);
    expect(lambda.held).toBe(1);
    lambda.postResponse();
    await settle();
    expect(destination.taken).toEqual(["a"]);
    expect(lambda.held).toBe(0);
  });

  test.each(["before the start", "while it runs", "after the end", "after the flush"])(
    "an announcement that comes %s is held for the flush of its own invocation",
    async (moment) => {
      const { clock, lambda, destination, engine } = await setUp();
      for (let turn = 0; turn < 3; turn++) {
        const running = invocation(clock);
        if (moment === "before the start") lambda.announce();
        await settle();
        engine.invocationStarted(running);
        if (moment === "while it runs") lambda.announce();
        engine.end(`span-${turn}`);
        expect(engine.invocationEnded(running)).toBeUndefined();
        if (moment === "after the end") lambda.announce();
        await settle();
        expect(lambda.held).toBe(moment === "after the flush" ? 0 : 1);
        lambda.postResponse();
        await settle();
        if (moment === "after the flush") lambda.announce();
        await settle();
        expect(lambda.held).toBe(0);
        expect(destination.taken).toHaveLength(turn + 1);
        await clock.pass(500);
      }
    },
  );

  test("an invocation without spans is let go as soon as its response is out", async () => {
    const { clock, lambda, engine } = await setUp();
    const running = invocation(clock);
    lambda.announce();
    engine.invocationStarted(running);
    expect(engine.invocationEnded(running)).toBeUndefined();
    lambda.postResponse();
    await settle();
    expect(lambda.held).toBe(0);
  });

  test("a handler that is not wrapped holds the environment 100 ms once, then not at all", async () => {
    const { clock, lambda } = await setUp();
    lambda.announce();
    await clock.pass(99);
    expect(lambda.held).toBe(1);
    await clock.pass(1);
    expect(lambda.held).toBe(0);
    lambda.announce();
    await settle();
    expect(lambda.held).toBe(0);
  });

  test("an invocation that starts after its announcement was given back is flushed before its return", async () => {
    const { clock, lambda, destination, engine } = await setUp();
    lambda.announce();
    await clock.pass(100);
    const late = invocation(clock);
    engine.invocationStarted(late);
    engine.end("late");
    await engine.invocationEnded(late);
    expect(destination.taken).toEqual(["late"]);
    const next = invocation(clock);
    lambda.announce();
    engine.invocationStarted(next);
    expect(engine.invocationEnded(next)).toBeUndefined();
  });

  test("a handler that never ends lets the environment go when its spans are sent", async () => {
    const { clock, lambda, destination, engine } = await setUp();
    lambda.announce();
    engine.invocationStarted({
      deadlineMs: clock.wallMs() + 1_000,
      abort: () => engine.end("timed out"),
    });
    await clock.pass(700);
    expect(destination.taken).toEqual(["timed out"]);
    expect(lambda.held).toBe(0);
  });

  test("an invocation inside another one leaves the flush to it", async () => {
    const { clock, lambda, destination, engine } = await setUp();
    const outer = invocation(clock);
    const inner = invocation(clock);
    lambda.announce();
    engine.invocationStarted(outer);
    engine.invocationStarted(inner);
    engine.end("inner");
    expect(engine.invocationEnded(inner)).toBeUndefined();
    await settle();
    expect(lambda.held).toBe(1);
    engine.end("outer");
    expect(engine.invocationEnded(outer)).toBeUndefined();
    lambda.postResponse();
    await settle();
    expect(destination.taken).toEqual(["inner", "outer"]);
    expect(lambda.held).toBe(0);
  });

  test("when the extension is lost, spans are flushed before the return again", async () => {
    const { clock, lambda, destination, engine } = await setUp();
    lambda.lose();
    const running = invocation(clock);
    engine.invocationStarted(running);
    engine.end("a");
    await engine.invocationEnded(running);
    expect(destination.taken).toEqual(["a"]);
  });

  test("nothing is loaded for the export before the first response is out", async () => {
    const clock = new VirtualClock();
    const lambda = new Announcer();
    let loads = 0;
    const engine = startEngine(
      [],
      { mode: "after-return" },
      {
        clock,
        extension: lambda,
        loadDestinations: () => {
          loads++;
          return Promise.resolve([]);
        },
      },
    );
    await settle();
    const running = invocation(clock);
    lambda.announce();
    engine.invocationStarted(running);
    engine.end("a");
    expect(engine.invocationEnded(running)).toBeUndefined();
    await settle();
    expect(loads).toBe(0);
    lambda.postResponse();
    await settle();
    expect(loads).toBe(1);
  });

  test("many invocations in a row share flushes, and no span waits much longer than a second", async () => {
    const { clock, lambda, destination, engine } = await setUp(new Announcer(), 512);
    const endedAtMs = new Map<string, number>();
    const waitsMs: number[] = [];
    destination.script = (names) => {
      for (const name of names) waitsMs.push(clock.elapsedMs() - (endedAtMs.get(name) ?? 0));
      return { status: "success" };
    };
    for (let turn = 0; turn < 200; turn++) {
      const running = invocation(clock);
      lambda.announce();
      engine.invocationStarted(running);
      await clock.pass(40);
      endedAtMs.set(`span-${turn}`, clock.elapsedMs());
      engine.end(`span-${turn}`);
      expect(engine.invocationEnded(running)).toBeUndefined();
      await settle();
      lambda.postResponse();
      await settle();
      expect(lambda.held).toBe(0);
      await clock.pass(10);
    }
    expect(destination.requests.length).toBeLessThan(40);
    expect(Math.max(...waitsMs)).toBeLessThanOrEqual(1_100);
    await engine.flush();
    expect(destination.taken).toEqual(numbered("span", 200));
  });
});

test("what a busy environment put off goes within a second when no invocation follows", async () => {
  const { clock, lambda, destination, engine } = await setUp(new Announcer(), 512);
  for (let turn = 0; turn < 20; turn++) {
    const running = invocation(clock);
    lambda.announce();
    engine.invocationStarted(running);
    engine.end(`span-${turn}`);
    expect(engine.invocationEnded(running)).toBeUndefined();
    lambda.postResponse();
    await settle();
  }
  expect(destination.taken).toHaveLength(9);
  await clock.pass(1_000);
  expect(destination.taken).toEqual(numbered("span", 20));
});

test("without a registration the caller waits for the flush", async () => {
  const { clock, destination, engine } = await setUp(new Announcer(false));
  const running = invocation(clock);
  engine.invocationStarted(running);
  engine.end("a");
  await engine.invocationEnded(running);
  expect(destination.taken).toEqual(["a"]);
});
