import { describe, expect, test } from "vitest";
import type { RecoveredRequest, Spool, SpooledRequest } from "../../src/sdk/spool.ts";
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

/** Two processes' shared disk. */
class MemorySpool implements Spool {
  files: SpooledRequest[] = [];
  /** Claimed, not removed. */
  readonly claimed = new Set<SpooledRequest>();
  room = 100;

  get isEmpty(): boolean {
    return this.files.length === 0;
  }

  write(request: SpooledRequest): boolean {
    if (this.room === 0) return false;
    this.room--;
    this.files.push(request);
    return true;
  }

  claim(destinations: readonly string[]): RecoveredRequest[] {
    const wanted = this.files.filter((file) => destinations.includes(file.destination));
    this.files = this.files.filter((file) => !wanted.includes(file));
    return wanted.map((file) => {
      this.claimed.add(file);
      return { ...file, remove: () => void this.claimed.delete(file) };
    });
  }
}

const FOREVER = { deadlineMs: Number.POSITIVE_INFINITY, abort: () => {} };

describe("when the process ends", () => {
  test("what waits and what is under way is spooled, and the next process sends it once", async () => {
    const spool = new MemorySpool();
    const clock = new VirtualClock();
    const dead = new ScriptedDestination(() => new Promise(() => {}));
    const dying = startEngine([dead], {}, { spool, clock });
    await settle();
    dying.end(...numbered("span", 57));
    await settle();
    expect(dead.underWay).toBe(4);
    dying.spool();
    expect(dying.counts()).toMatchObject({ recorded: 57, spooled: 57, buffered: 0 });

    const destination = new ScriptedDestination();
    const next = startEngine([destination], {}, { spool, clock });
    await settle();
    await next.flush();
    expect(destination.taken.toSorted()).toEqual(numbered("span", 57).toSorted());
    // The four requests of ten spans that were under way may have arrived.
    expect(next.counts()).toMatchObject({
      recovered: 57,
      sent: 57,
      buffered: 0,
      resentAfterLostAnswer: 40,
    });
    expect(spool.claimed.size).toBe(0);
  });

  test("spans whose answer was lost are marked as such for the next process", async () => {
    const spool = new MemorySpool();
    const dying = startEngine([new ScriptedDestination(() => LOST)], {}, { spool });
    dying.end("a");
    await dying.flush();
    dying.spool();
    expect(spool.files).toMatchObject([{ mayRepeat: true, spanCount: 1 }]);
  });

  test("an answer that comes after the spooling changes nothing", async () => {
    const spool = new MemorySpool();
    const answer = Promise.withResolvers<typeof SENT>();
    const engine = startEngine([new ScriptedDestination(() => answer.promise)], {}, { spool });
    await settle();
    engine.end("a");
    void engine.flush();
    engine.spool();
    answer.resolve(SENT);
    await settle();
    expect(engine.counts()).toMatchObject({ spooled: 1, sent: 0, buffered: 0 });
  });

  test("what the spool has no room for stays counted as buffered", async () => {
    const spool = new MemorySpool();
    spool.room = 2;
    const engine = startEngine([new ScriptedDestination(() => UNAVAILABLE)], {}, { spool });
    engine.end(...numbered("span", 35));
    await engine.flush();
    engine.spool();
    expect(engine.counts()).toMatchObject({ recorded: 35, spooled: 20, buffered: 15 });
    expect(engine.losses).toMatchObject([{ reason: "process ended", spans: 15 }]);
  });

  test("spans that were recovered and not yet sent stay where they are", async () => {
    const spool = new MemorySpool();
    spool.write({
      destination: "scripted",
      request: Buffer.from("a"),
      spanCount: 1,
      mayRepeat: false,
    });
    const engine = startEngine([new ScriptedDestination(() => UNAVAILABLE)], {}, { spool });
    await settle();
    await engine.flush();
    engine.spool();
    expect(spool.files).toEqual([]);
    expect(spool.claimed.size).toBe(1);
    expect(engine.counts()).toMatchObject({ recovered: 1, spooled: 0, buffered: 1 });
  });

  test("spans that ended before any destination was loaded are reported as lost", () => {
    const loadDestinations = () => new Promise<never>(() => {});
    const engine = startEngine([], {}, { spool: new MemorySpool(), loadDestinations });
    engine.end("a", "b");
    engine.spool();
    expect(engine.losses).toMatchObject([{ reason: "process ended", spans: 2 }]);
  });

  test("an exporter object's spans cannot be spooled", async () => {
    const spool = new MemorySpool();
    const destination = new ScriptedDestination(() => UNAVAILABLE);
    Object.assign(destination, { encode: (spans: []) => ({ spans, byteLength: 0 }) });
    destination.send = () => Promise.resolve(UNAVAILABLE);
    const engine = startEngine([destination], {}, { spool });
    engine.end("a");
    await engine.flush();
    engine.spool();
    expect(spool.files).toEqual([]);
    expect(engine.counts().buffered).toBe(1);
  });

  test("the open spans of running invocations are ended first", async () => {
    const spool = new MemorySpool();
    const engine = startEngine([new ScriptedDestination(() => UNAVAILABLE)], {}, { spool });
    await settle();
    const aborts: string[] = [];
    engine.invocationStarted({
      deadlineMs: Number.POSITIVE_INFINITY,
      abort(errorType, message) {
        aborts.push(`${errorType}: ${message}`);
        engine.end("invocation");
      },
    });
    engine.abortInvocations("process.exit", "The process exited with 1");
    engine.abortInvocations("process.exit", "again");
    engine.spool();
    expect(aborts).toEqual(["process.exit: The process exited with 1"]);
    expect(spool.files).toMatchObject([{ spanCount: 1 }]);
  });
});

describe("a recovered request", () => {
  const left = {
    destination: "scripted",
    request: Buffer.from("a\nb"),
    spanCount: 2,
    mayRepeat: false,
  };

  test("is sent during init, before any invocation", async () => {
    const spool = new MemorySpool();
    spool.write(left);
    const destination = new ScriptedDestination();
    startEngine([destination], {}, { spool });
    await settle();
    expect(destination.taken).toEqual(["a", "b"]);
  });

  test("is kept while the receiver fails, and sent when it is back", async () => {
    const spool = new MemorySpool();
    spool.write(left);
    const clock = new VirtualClock();
    const destination = new ScriptedDestination(() => LOST);
    const engine = startEngine([destination], {}, { spool, clock });
    await settle();
    expect(engine.counts()).toMatchObject({ buffered: 2, breaker: "open" });
    expect(spool.claimed.size).toBe(1);
    destination.script = () => SENT;
    await clock.pass(1_000);
    expect(destination.taken).toEqual(["a", "b"]);
    expect(engine.counts()).toMatchObject({ sent: 2, resentAfterLostAnswer: 2, buffered: 0 });
    expect(spool.claimed.size).toBe(0);
  });

  test("that is refused for good is counted, reported and removed", async () => {
    const spool = new MemorySpool();
    spool.write(left);
    const engine = startEngine([new ScriptedDestination(() => REFUSED)], {}, { spool });
    await settle();
    expect(engine.counts()).toMatchObject({ recovered: 2, dropped: { permanent: 2 } });
    expect(engine.losses).toMatchObject([{ reason: "refused", spans: 2 }]);
    expect(spool.claimed.size).toBe(0);
  });

  test("is sent during init in after-return mode, too", async () => {
    const spool = new MemorySpool();
    spool.write(left);
    const destination = new ScriptedDestination();
    const extension = {
      register: () => Promise.resolve(true),
      responsePosted: () => Promise.resolve(),
    };
    startEngine([destination], { mode: "after-return" }, { spool, extension });
    await settle();
    expect(destination.taken).toEqual(["a", "b"]);
  });

  test("for another destination is not taken", async () => {
    const spool = new MemorySpool();
    spool.write({ ...left, destination: "elsewhere" });
    const engine = startEngine([new ScriptedDestination()], {}, { spool });
    await settle();
    expect(engine.counts().recovered).toBe(0);
    expect(spool.files).toHaveLength(1);
  });
});

describe("a handler that never ends, with a receiver that never answers", () => {
  test("has its spans spooled before the deadline", async () => {
    const spool = new MemorySpool();
    const clock = new VirtualClock();
    const engine = startEngine(
      [new ScriptedDestination(() => new Promise(() => {}))],
      {},
      { spool, clock },
    );
    await settle();
    engine.invocationStarted({
      deadlineMs: clock.wallMs() + 1_000,
      abort: () => engine.end("invocation"),
    });
    await clock.pass(949);
    expect(spool.files).toEqual([]);
    await clock.pass(1);
    expect(spool.files).toMatchObject([{ spanCount: 1, mayRepeat: true }]);
  });

  test("is probed again when the process lives on after a probe was spooled", async () => {
    const spool = new MemorySpool();
    const clock = new VirtualClock();
    const destination = new ScriptedDestination(() => UNAVAILABLE);
    const engine = startEngine([destination], {}, { spool, clock });
    engine.end("a");
    await engine.flush();
    destination.script = () => new Promise(() => {});
    await clock.pass(700);
    expect(engine.counts().breaker).toBe("probing");
    engine.spool();
    destination.script = () => SENT;
    engine.end("b");
    await clock.pass(2_000);
    expect(destination.taken).toEqual(["b"]);
    expect(engine.counts()).toMatchObject({ breaker: "closed", buffered: 0, spooled: 1 });
  });

  test("has them sent by the same process when that lives on", async () => {
    const spool = new MemorySpool();
    const clock = new VirtualClock();
    const destination = new ScriptedDestination(() => UNAVAILABLE);
    const engine = startEngine([destination], {}, { spool, clock });
    await settle();
    engine.invocationStarted({
      deadlineMs: clock.wallMs() + 1_000,
      abort: () => engine.end("invocation"),
    });
    await clock.pass(960);
    expect(engine.counts()).toMatchObject({ spooled: 1, buffered: 0 });
    destination.script = () => SENT;
    await clock.pass(2_000);
    engine.invocationStarted(FOREVER);
    await engine.invocationEnded(FOREVER);
    expect(destination.taken).toEqual(["invocation"]);
    expect(engine.counts()).toMatchObject({ recorded: 1, recovered: 1, spooled: 1, sent: 1 });
  });
});
