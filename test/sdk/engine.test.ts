import { describe, expect, test } from "vitest";
import {
  LOST,
  numbered,
  REFUSED,
  ScriptedDestination,
  SENT,
  settle,
  startEngine,
  UNAVAILABLE,
  VirtualClock,
} from "../support/flush.ts";

const FOREVER = { deadlineMs: Number.POSITIVE_INFINITY, abort: () => {} };

describe("a flush before the return", () => {
  test("sends every span once, in chunks", async () => {
    const destination = new ScriptedDestination();
    const engine = startEngine([destination]);
    engine.invocationStarted(FOREVER);
    const names = numbered("span", 25);
    engine.end(...names);
    await engine.invocationEnded(FOREVER);
    expect(destination.taken).toEqual(names);
    expect(destination.requests.map((request) => request.length)).toEqual([10, 10, 5]);
    expect(engine.counts()).toMatchObject({ recorded: 25, sent: 25, buffered: 0 });
  });

  test("hands the request to the destination in the tick of the call", async () => {
    const destination = new ScriptedDestination();
    const engine = startEngine([destination]);
    await settle();
    engine.end("a");
    void engine.invocationEnded(FOREVER);
    expect(destination.requests).toEqual([["a"]]);
  });

  test("waits for nothing when no span was sampled", async () => {
    const engine = startEngine([new ScriptedDestination()]);
    await settle();
    expect(engine.invocationEnded(FOREVER)).toBeUndefined();
  });

  test("awaits what the background has under way", async () => {
    const answer = Promise.withResolvers<typeof SENT>();
    const destination = new ScriptedDestination(() => answer.promise);
    const engine = startEngine([destination]);
    await settle();
    engine.end(...numbered("span", 10));
    await settle();
    expect(destination.underWay).toBe(1);
    let isDone = false;
    const flushed = engine.invocationEnded(FOREVER)?.then(() => {
      isDone = true;
    });
    await settle();
    expect(isDone).toBe(false);
    answer.resolve(SENT);
    await flushed;
    expect(destination.taken).toHaveLength(10);
  });

  test("does not wait for spans that go on ending", async () => {
    const destination = new ScriptedDestination(() => settle().then(() => SENT));
    const engine = startEngine([destination]);
    engine.end("first");
    const ticker = setInterval(() => engine.end(...numbered("late", 20)), 1);
    await engine.invocationEnded(FOREVER);
    clearInterval(ticker);
    expect(destination.taken).toContain("first");
    await engine.flush();
    expect(destination.taken).toHaveLength(engine.counts().sent);
    expect(engine.counts().buffered).toBe(0);
  });

  test("has at most four requests under way at once", async () => {
    const destination = new ScriptedDestination(() => settle().then(() => SENT));
    const engine = startEngine([destination]);
    engine.end(...numbered("span", 200));
    await engine.invocationEnded(FOREVER);
    expect(destination.mostUnderWay).toBe(4);
    expect(destination.taken).toHaveLength(200);
  });

  test("is cut short by the deadline's margin", async () => {
    const clock = new VirtualClock();
    const engine = startEngine(
      [new ScriptedDestination(() => new Promise(() => {}))],
      {},
      { clock },
    );
    const invocation = { deadlineMs: clock.wallMs() + 1_000, abort: () => {} };
    engine.invocationStarted(invocation);
    engine.end("a");
    await settle();
    let isDone = false;
    void engine.invocationEnded(invocation)?.then(() => {
      isDone = true;
    });
    await clock.pass(699);
    expect(isDone).toBe(false);
    await clock.pass(1);
    expect(isDone).toBe(true);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "is bounded by its timeout when the deadline is %d",
    async (deadlineMs) => {
      const clock = new VirtualClock();
      const engine = startEngine(
        [new ScriptedDestination(() => new Promise(() => {}))],
        {},
        { clock },
      );
      engine.end("a");
      await settle();
      let isDone = false;
      void engine.invocationEnded({ deadlineMs, abort: () => {} })?.then(() => {
        isDone = true;
      });
      await clock.pass(3_999);
      expect(isDone).toBe(false);
      await clock.pass(1);
      expect(isDone).toBe(true);
    },
  );

  test("starts sending and waits for nothing when the deadline is past", async () => {
    const destination = new ScriptedDestination();
    const engine = startEngine([destination]);
    await settle();
    engine.end("a");
    expect(engine.invocationEnded({ deadlineMs: 1, abort: () => {} })).toBeUndefined();
    await settle();
    expect(destination.taken).toEqual(["a"]);
  });
});

describe("a failed send", () => {
  test("keeps its spans for the next flush, oldest first", async () => {
    const clock = new VirtualClock();
    const destination = new ScriptedDestination(() => UNAVAILABLE);
    const engine = startEngine([destination], {}, { clock });
    engine.end("a", "b");
    await engine.flush();
    expect(engine.counts()).toMatchObject({ sent: 0, buffered: 2, retried: 2, breaker: "open" });
    destination.script = () => SENT;
    engine.end("c");
    await clock.pass(1_000);
    expect(destination.taken).toEqual(["a", "b", "c"]);
    expect(engine.counts()).toMatchObject({ sent: 3, buffered: 0, resentAfterLostAnswer: 0 });
  });

  test("counts spans that go out again after their answer was lost", async () => {
    const clock = new VirtualClock();
    const destination = new ScriptedDestination(() => LOST);
    const engine = startEngine([destination], {}, { clock });
    engine.end("a", "b");
    await engine.flush();
    engine.end("c");
    destination.script = () => SENT;
    await clock.pass(1_000);
    expect(engine.counts()).toMatchObject({ sent: 3, resentAfterLostAnswer: 2 });
  });

  test("drops and reports what was refused for good, once", async () => {
    const engine = startEngine([new ScriptedDestination(() => REFUSED)]);
    engine.end("a", "b");
    await engine.flush();
    engine.end("c");
    await engine.flush();
    expect(engine.counts()).toMatchObject({ dropped: { permanent: 3 }, buffered: 0 });
    expect(engine.losses).toEqual([
      { destination: "scripted", reason: "refused", spans: 2, error: "INVALID_ARGUMENT" },
    ]);
    await engine.shutdown();
    expect(engine.losses).toHaveLength(2);
    expect(engine.losses[1]).toMatchObject({ reason: "refused", spans: 1 });
  });

  test("counts the spans that a partial success refused", async () => {
    const engine = startEngine([
      new ScriptedDestination(() => ({ status: "success", rejectedSpans: 2 })),
    ]);
    engine.end("a", "b", "c");
    await engine.flush();
    expect(engine.counts()).toMatchObject({ sent: 1, dropped: { permanent: 2 } });
  });

  test("of one destination neither delays nor loses the other's spans", async () => {
    const clock = new VirtualClock();
    const dead = new ScriptedDestination(() => new Promise(() => {}), "dead");
    const alive = new ScriptedDestination(() => SENT, "alive");
    const engine = startEngine([dead, alive], {}, { clock });
    engine.end(...numbered("span", 30));
    await settle();
    void engine.flush();
    await settle();
    expect(alive.taken).toHaveLength(30);
    expect(engine.stats().destinations).toMatchObject([
      { destination: "dead", sent: 0, buffered: 30 },
      { destination: "alive", sent: 30, buffered: 0 },
    ]);
  });

  test("counts as final when the destination breaks its word and throws", async () => {
    const engine = startEngine([
      new ScriptedDestination(() => {
        throw new Error("bug");
      }),
    ]);
    engine.end("a");
    await engine.flush();
    expect(engine.counts()).toMatchObject({ dropped: { permanent: 1 }, buffered: 0 });
  });
});

describe("what does not fit", () => {
  test("splits a chunk until its request fits", async () => {
    const destination = new ScriptedDestination(() => SENT, "small", 20);
    const engine = startEngine([destination], {}, { estimateSpanBytes: () => 1 });
    const names = numbered("12345", 10);
    engine.end(...names);
    await engine.flush();
    expect(destination.taken.toSorted()).toEqual(names);
    expect(destination.requests.every((request) => request.join("\n").length <= 20)).toBe(true);
  });

  test("drops a span that alone exceeds a request, and keeps its neighbours", async () => {
    const destination = new ScriptedDestination(() => SENT, "small", 20);
    const engine = startEngine([destination]);
    engine.end("a", "x".repeat(21), "b");
    await engine.flush();
    expect(destination.taken).toEqual(["a", "b"]);
    expect(engine.counts()).toMatchObject({ sent: 2, dropped: { tooLarge: 1 } });
    expect(engine.losses).toMatchObject([{ reason: "too large", spans: 1 }]);
  });

  test("drops only the span that cannot be encoded", async () => {
    const destination = new ScriptedDestination();
    const encode = destination.encode.bind(destination);
    destination.encode = (spans) => {
      if (spans.some((span) => span.name === "bad")) throw new Error("cannot encode");
      return encode(spans);
    };
    const engine = startEngine([destination]);
    engine.end("a", "b", "bad", "c", "d");
    await engine.flush();
    expect(destination.taken.toSorted()).toEqual(["a", "b", "c", "d"]);
    expect(engine.counts()).toMatchObject({ sent: 4, dropped: { tooLarge: 1 } });
    expect(engine.losses).toMatchObject([{ error: "cannot encode" }]);
  });

  test("drops the oldest waiting spans when the buffer is full, exactly counted and reported once", async () => {
    const clock = new VirtualClock();
    const destination = new ScriptedDestination(() => UNAVAILABLE);
    const engine = startEngine([destination], { maxBufferSpans: 100 }, { clock });
    engine.end("first");
    await engine.flush();
    engine.end(...numbered("span", 1_000));
    await engine.flush();
    expect(engine.counts()).toMatchObject({
      recorded: 1_001,
      buffered: 100,
      dropped: { overflow: 901 },
    });
    expect(engine.losses).toEqual([{ destination: "scripted", reason: "buffer full", spans: 901 }]);
    destination.script = () => SENT;
    await clock.pass(1_000);
    expect(destination.taken).toEqual(numbered("span", 1_000).slice(900));
  });

  test("reports after a quiet time what it held back, though nothing more was lost", async () => {
    const clock = new VirtualClock();
    const destination = new ScriptedDestination(() => UNAVAILABLE);
    const engine = startEngine([destination], { maxBufferSpans: 10 }, { clock });
    await settle();
    engine.end(...numbered("first", 11));
    void engine.flush();
    engine.end(...numbered("second", 5));
    void engine.flush();
    expect(engine.losses.map(({ spans }) => spans)).toEqual([1]);
    await clock.pass(30_000);
    void engine.flush();
    expect(engine.losses.map(({ spans }) => spans)).toEqual([1, 5]);
    await clock.pass(30_000);
    void engine.flush();
    expect(engine.losses).toHaveLength(2);
  });

  test("is bounded before the destinations are loaded, too", async () => {
    const destination = new ScriptedDestination();
    const loaded = Promise.withResolvers<readonly ScriptedDestination[]>();
    const engine = startEngine(
      [],
      { maxBufferSpans: 10 },
      { loadDestinations: () => loaded.promise },
    );
    engine.end(...numbered("span", 15));
    const flushed = engine.flush();
    loaded.resolve([destination]);
    await flushed;
    expect(destination.taken).toEqual(numbered("span", 15).slice(5));
    expect(engine.counts()).toMatchObject({ recorded: 15, sent: 10, dropped: { overflow: 5 } });
  });
});

describe("in the background", () => {
  test("full chunks go out while the handler runs, the tail waits", async () => {
    const destination = new ScriptedDestination();
    const engine = startEngine([destination]);
    await settle();
    engine.end(...numbered("span", 25));
    await settle();
    expect(destination.taken).toHaveLength(20);
    expect(engine.counts().buffered).toBe(5);
  });

  test("the rest goes after the interval", async () => {
    const clock = new VirtualClock();
    const destination = new ScriptedDestination();
    const engine = startEngine([destination], { mode: "periodic" }, { clock });
    await settle();
    engine.end("a");
    expect(engine.invocationEnded(FOREVER)).toBeUndefined();
    await clock.pass(4_999);
    expect(destination.taken).toEqual([]);
    await clock.pass(1);
    expect(destination.taken).toEqual(["a"]);
  });
});

test("spans that are not sampled are not kept", async () => {
  const engine = startEngine([new ScriptedDestination()]);
  await settle();
  const span = { spanContext: () => ({ traceId: "", spanId: "", traceFlags: 0 }) };
  engine.spanProcessor.onEnd(span as never);
  expect(engine.counts().recorded).toBe(0);
});

test("a shutdown flushes, closes the destinations and takes no more spans", async () => {
  const destination = new ScriptedDestination();
  const engine = startEngine([destination]);
  engine.end("a");
  await engine.shutdown();
  engine.end("b");
  await engine.flush();
  expect(destination.taken).toEqual(["a"]);
  expect(destination.isShutdown).toBe(true);
});

test("without destinations nothing is kept", async () => {
  const engine = startEngine([]);
  await settle();
  engine.end("a");
  await engine.flush();
  expect(engine.stats()).toEqual({ destinations: [] });
});

test("a loader that fails costs the spans, never the flush", async () => {
  const engine = startEngine([], {}, { loadDestinations: () => Promise.reject(new Error("no")) });
  engine.end("a");
  await engine.flush();
  expect(engine.stats()).toEqual({ destinations: [] });
});

test("a destination that breaks its word and throws as it connects ends nothing else", async () => {
  const destination = Object.assign(new ScriptedDestination(), {
    connect: () => {
      throw new TypeError("connect is not a function");
    },
  });
  const engine = startEngine([destination]);
  await settle();
  engine.end("a");
  await engine.flush();
  expect(engine.stats()).toEqual({ destinations: [] });
});
