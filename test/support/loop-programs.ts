/** Handlers made at random: they go through an event's records in every way, and then answer or throw. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import fc from "fast-check";
import { listsOf } from "./hostile-events.ts";

type List = unknown[];

/** What happens in one visit of a record. */
interface Visit {
  /** Gives way to others first: not at all, for a microtask, or for a turn of the event loop. */
  readonly wait: "no" | "microtask" | "turn";
  readonly makesSpan: boolean;
}

type Step =
  | {
      readonly kind: "loop";
      readonly over: "iterator" | "values" | "entries" | "for await";
      readonly visit: Visit;
      /** Leaves the loop at this record. */
      readonly leaveAt: number | undefined;
      readonly leaveBy: "break" | "throw";
    }
  | {
      readonly kind: "callback";
      readonly method: "map" | "forEach";
      /** An async function, or a plain one that returns what an async one returned. */
      readonly style: "async" | "plain" | "synchronous";
      readonly visit: Visit;
      readonly failAt: number | undefined;
      readonly joins: boolean;
    }
  | { readonly kind: "look"; readonly how: keyof typeof LOOKS };

export interface Program {
  readonly isAsync: boolean;
  readonly steps: readonly Step[];
  readonly ending: keyof typeof ENDINGS;
}

/** What a run of a program did, besides its outcome. */
export interface Run {
  /** By task in the order of their beginnings, for what runs side by side may overtake. */
  readonly log: unknown[][];
  /** The very value that was returned or thrown. */
  produced: unknown;
  /** Work that was left behind. */
  readonly left: Promise<unknown>[];
}

/** Ways to read records that are no visit. */
const LOOKS = {
  index: (list: List) => list.length > 0 && typeof list[list.length - 1],
  spread: (list: List) => [...list].length,
  destructuring: (list: List) => {
    const [first, second, ...rest] = list;
    return [typeof first, typeof second, rest.length];
  },
  from: (list: List) => Array.from(list, (record) => typeof record),
  reduce: (list: List) => list.reduce((count: number) => count + 1, 0),
  filter: (list: List) => list.filter((_, index) => index % 2 === 0).length,
  slice: (list: List) => list.slice(1).concat(list.slice(0, 1)).length,
  find: (list: List) => [list.find(Boolean) === list[0], list.includes(list[0]), list.at(-1)],
  flatMap: (list: List) => list.flatMap((record) => [record, record]).length,
  keys: (list: List) => [Object.keys(list).length, ...list.keys()],
  json: (list: List) => JSON.stringify(list).length,
  clone: (list: List) => structuredClone(list).length,
  manual: (list: List) => {
    const steps = list.values();
    return [steps.next().done, steps.next().done, [...steps].length];
  },
  helpers: (list: List) => list.values().drop(1).take(2).toArray().length,
  sort: (list: List) => list.reverse().length,
} satisfies Record<string, (list: List) => unknown>;

const frozenError = Object.freeze(new RangeError("frozen"));

/** How a program ends: the value it returns, or throws. */
const ENDINGS = {
  nothing: () => undefined,
  event: (event: unknown) => event,
  object: () => ({ statusCode: 503, headers: { a: ["b"] } }),
  failures: () => ({ batchItemFailures: [{ itemIdentifier: "c80e8021" }, null] }),
  "hostile object": () =>
    new Proxy(
      {},
      {
        get: (_, name) => (name === "then" ? undefined : fail(new Error("closed"))),
        ownKeys: () => fail(new Error("closed")),
      },
    ),
  error: () => fail(new TypeError("thrown")),
  "frozen error": () => fail(frozenError),
  "thrown undefined": () => fail(undefined),
  "thrown text": () => fail("text"),
  "thrown hostile object": () =>
    fail(
      new Proxy(new Error("?"), {
        get: () => fail(new Error("unreadable")),
        getPrototypeOf: () => fail(new Error("unreadable")),
      }),
    ),
} satisfies Record<string, (event: unknown) => unknown>;

/** Thrown, and told apart from what the interpreter itself may throw. */
class Thrown {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

function fail(value: unknown): never {
  throw new Thrown(value);
}

const visit: fc.Arbitrary<Visit> = fc.record({
  wait: fc.constantFrom("no", "microtask", "turn"),
  makesSpan: fc.boolean(),
});
const sometimesAt = fc.option(fc.nat(3), { nil: undefined });

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("loop" as const),
    over: fc.constantFrom("iterator", "values", "entries", "for await"),
    visit,
    leaveAt: sometimesAt,
    leaveBy: fc.constantFrom("break", "break", "throw"),
  }),
  fc.record({
    kind: fc.constant("callback" as const),
    method: fc.constantFrom("map", "forEach"),
    style: fc.constantFrom("async", "plain", "synchronous"),
    visit,
    failAt: sometimesAt,
    joins: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("look" as const),
    how: fc.constantFrom(...(Object.keys(LOOKS) as (keyof typeof LOOKS)[])),
  }),
);

export const program: fc.Arbitrary<Program> = fc.record({
  isAsync: fc.boolean(),
  steps: fc.array(step, { maxLength: 5 }),
  ending: fc.constantFrom(...(Object.keys(ENDINGS) as (keyof typeof ENDINGS)[])),
});

/** A handler that runs the program and notes in `run` what it saw. */
export function handlerOf(program: Program, run: Run): (event: unknown) => unknown {
  const steps = (event: unknown) => runProgram(program, event, run);
  const settle = (work: () => unknown): unknown => {
    try {
      run.produced = work();
    } catch (error) {
      run.produced = error instanceof Thrown ? error.value : error;
      throw run.produced;
    }
    return run.produced;
  };
  if (!program.isAsync) return (event) => settle(driveSynchronously(steps(event)));
  return async (event) => {
    const work = steps(event);
    let next = work.next();
    while (next.done !== true) {
      try {
        await next.value;
      } catch (error) {
        next = work.throw(error);
        continue;
      }
      next = work.next();
    }
    return settle(next.value);
  };
}

type Work = Generator<unknown, () => unknown, void>;

function driveSynchronously(work: Work): () => unknown {
  let next = work.next();
  while (next.done !== true) next = work.next();
  return next.value;
}

/** Yields what an asynchronous handler waits for; returns how it ends. */
function* runProgram({ steps, ending, isAsync }: Program, event: unknown, run: Run): Work {
  for (const list of listsOf(event)) {
    for (const step of steps) {
      try {
        if (step.kind === "look") run.log.push([LOOKS[step.how](list)]);
        else if (step.kind === "callback") yield* runCallbacks(step, list, run, isAsync);
        else if (step.over !== "for await") yield* runLoop(step, list, run);
        else if (isAsync) yield runAwaitedLoop(step, list, run);
      } catch (error) {
        if (!(error instanceof Thrown)) throw error;
        return () => fail(error.value);
      }
    }
  }
  return () => ENDINGS[ending](event);
}

type Loop = Extract<Step, { kind: "loop" }>;

function* runLoop(
  { over, visit, leaveAt, leaveBy }: Loop,
  list: List,
  run: Run,
): Generator<unknown> {
  const task: unknown[] = [over];
  run.log.push(task);
  const records = over === "iterator" ? list : over === "values" ? list.values() : list.entries();
  let index = 0;
  for (const item of records) {
    task.push(index, over === "entries" || item === list[index]);
    if (visit.makesSpan) makeSpan();
    if (visit.wait !== "no") yield visit.wait === "turn" ? nextTurn() : undefined;
    if (index === leaveAt && leaveBy === "break") break;
    if (index === leaveAt) fail(new Error(`left at ${index}`));
    index++;
  }
}

async function runAwaitedLoop(
  { visit, leaveAt, leaveBy }: Loop,
  list: List,
  run: Run,
): Promise<void> {
  const task: unknown[] = ["for await"];
  run.log.push(task);
  let index = 0;
  for await (const record of list) {
    task.push(index, record === list[index]);
    if (visit.makesSpan) makeSpan();
    if (visit.wait === "turn") await nextTurn();
    if (index === leaveAt && leaveBy === "break") break;
    if (index === leaveAt) fail(new Error(`left at ${index}`));
    index++;
  }
}

type Callbacks = Extract<Step, { kind: "callback" }>;

function* runCallbacks(
  step: Callbacks,
  list: List,
  run: Run,
  isAsync: boolean,
): Generator<unknown> {
  const { method, style, visit, failAt, joins } = step;
  const begin = (record: unknown, index: number, array: unknown): unknown[] => {
    const task: unknown[] = [method, index, record === list[index], array === list];
    run.log.push(task);
    if (visit.makesSpan) makeSpan();
    return task;
  };
  const goOn = async (task: unknown[], index: number): Promise<number> => {
    if (visit.wait !== "no") await (visit.wait === "turn" ? nextTurn() : undefined);
    task.push("went on");
    if (visit.makesSpan) makeSpan();
    // What nobody waits for must not fail: that would end the process, bare as well as traced.
    if (index === failAt && joins && method === "map") fail(new Error(`failed at ${index}`));
    return index;
  };
  const callbacks = {
    async: async (record: unknown, index: number, array: unknown) => {
      const promise = goOn(begin(record, index, array), index);
      run.left.push(promise);
      return promise;
    },
    plain: (record: unknown, index: number, array: unknown) => {
      const promise = goOn(begin(record, index, array), index);
      run.left.push(promise);
      return promise;
    },
    synchronous: (record: unknown, index: number, array: unknown) => {
      begin(record, index, array);
      if (index === failAt) fail(new Error(`failed at ${index}`));
      return index;
    },
  };
  if (method === "forEach") {
    list.forEach(callbacks[style]);
    return;
  }
  const results = list.map<unknown>(callbacks[style]);
  run.log.push([results.length]);
  const all = Promise.allSettled(results);
  run.left.push(all);
  if (isAsync && joins) yield Promise.all(results);
}

function makeSpan(): void {
  trace.getTracer("handler").startSpan("own").end();
}
