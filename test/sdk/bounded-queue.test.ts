import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BoundedQueue,
  type Chunk,
  estimateMemory,
  type QueueBounds,
} from "../../src/sdk/bounded-queue.ts";

type QueuedSpan = Parameters<BoundedQueue["add"]>[0];

function span(name: string): QueuedSpan {
  return { name } as QueuedSpan;
}

function namesOf(chunk: Chunk): string[] {
  return chunk.spans.map(({ name }) => name);
}

function isOverfull(held: readonly { bytes: number }[], bounds: QueueBounds): boolean {
  const bytes = held.reduce((sum, entry) => sum + entry.bytes, 0);
  return (
    held.length > bounds.maxSpans || estimateMemory(held.length, bytes) > bounds.maxMemoryBytes
  );
}

type Step = readonly ["add", number] | readonly ["take", number] | readonly ["return", number];

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant("add" as const), fc.integer({ min: 1, max: 60 })),
  fc.tuple(fc.constant("take" as const), fc.integer({ min: 1, max: 40 })),
  fc.tuple(fc.constant("return" as const), fc.nat(4)),
);

test("a queue holds what a plain array would hold, within both bounds", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: "max" }), (steps) => {
      const bounds = { maxSpans: 50, maxMemoryBytes: estimateMemory(20, 400) };
      const queue = new BoundedQueue(bounds);
      let model: { name: string; bytes: number }[] = [];
      const taken: { chunk: Chunk; model: { name: string; bytes: number }[] }[] = [];
      let added = 0;
      let dropped = 0;
      for (const [kind, amount] of steps) {
        if (kind === "add") {
          const bytes = amount;
          const name = `${added++}`;
          queue.add(span(name), bytes);
          model.push({ name, bytes });
          const out = taken.flatMap((entry) => entry.model);
          while (model.length > 0 && isOverfull([...model, ...out], bounds)) {
            model.shift();
            dropped++;
          }
        } else if (kind === "take") {
          const chunk = queue.take(amount, 200);
          const expected = model.slice(0, chunk.spans.length);
          expect(namesOf(chunk)).toEqual(expected.map(({ name }) => name));
          model = model.slice(chunk.spans.length);
          taken.push({ chunk, model: expected });
        } else {
          const [entry] = taken.splice(amount % Math.max(1, taken.length), 1);
          if (entry === undefined) continue;
          queue.giveBack(entry.chunk, false);
          model = [...entry.model, ...model];
        }
        expect(queue.waiting).toBe(model.length);
        expect(queue.waitingBytes).toBe(model.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(queue.overflowed).toBe(dropped);
        expect(queue.recorded).toBe(added);
      }
      expect(namesOf(queue.take(1_000, 1_000_000))).toEqual(model.map(({ name }) => name));
    }),
  );
});

test("a span larger than the whole queue costs none of the others", () => {
  const queue = new BoundedQueue({ maxSpans: 10, maxMemoryBytes: estimateMemory(10, 100) });
  queue.add(span("a"), 60);
  queue.add(span("huge"), 10_000);
  expect(queue.waiting).toBe(1);
  expect(queue.tooLarge).toBe(1);
  expect(queue.overflowed).toBe(0);
});

test("a new span is the one to go when all others are under way", () => {
  const queue = new BoundedQueue({ maxSpans: 2, maxMemoryBytes: estimateMemory(2, 100) });
  queue.add(span("a"), 1);
  queue.add(span("b"), 1);
  const chunk = queue.take(2, 100);
  queue.add(span("c"), 1);
  expect(queue.overflowed).toBe(1);
  queue.giveBack(chunk, false);
  expect(namesOf(queue.take(2, 100))).toEqual(["a", "b"]);
});

test("halving keeps every span and its order", () => {
  const queue = new BoundedQueue({ maxSpans: 10, maxMemoryBytes: estimateMemory(10, 100) });
  for (const name of ["a", "b", "c", "d", "e"]) queue.add(span(name), 1);
  const first = queue.halve(queue.take(5, 100));
  expect(namesOf(first)).toEqual(["a", "b", "c"]);
  expect(namesOf(queue.take(5, 100))).toEqual(["d", "e"]);
  expect(queue.held).toBe(5);
});

test("50,000 spans are added and taken in linear time and memory is given back", () => {
  const queue = new BoundedQueue({ maxSpans: 50_000, maxMemoryBytes: 1e9 });
  const one = span("a");
  for (let i = 0; i < 60_000; i++) queue.add(one, 10);
  expect(queue.overflowed).toBe(10_000);
  let taken = 0;
  while (queue.waiting > 0) {
    const chunk = queue.take(512, 1e9);
    taken += chunk.spans.length;
    queue.settle(chunk);
  }
  expect(taken).toBe(50_000);
  expect(queue.held).toBe(0);
});
