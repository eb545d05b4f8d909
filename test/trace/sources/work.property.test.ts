/** What describing an event costs, counted in reads of its values: in proportion to its size, whoever made it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeEvent } from "../../../src/trace/sources.ts";
import { fixture, fixtureNames } from "../../support/events.ts";
import { anyEvent, grown, listsOf, places } from "../../support/hostile-events.ts";

/** Asking every source takes 40. */
const READS_PER_EVENT = 120;
/** Usually 2: headers are looked through twice, and a record is asked for each of at most ten queues. */
const READS_PER_VALUE = 8;

/** Counts every property read and every key listed, however deep. */
class Meter {
  reads = 0;
  readonly #proxies = new WeakMap<object, object>();

  watch<T>(value: T): T {
    if (typeof value !== "object" || value === null) return value;
    const known = this.#proxies.get(value);
    if (known !== undefined) return known as T;
    const proxy = new Proxy(value, {
      get: (target, key) => {
        this.reads++;
        return this.watch(Reflect.get(target, key));
      },
      ownKeys: (target) => {
        const keys = Reflect.ownKeys(target);
        this.reads += keys.length;
        return keys;
      },
    });
    this.#proxies.set(value, proxy);
    return proxy;
  }
}

/** Reads to describe an event and all its records. */
function countReads(event: unknown): number {
  const meter = new Meter();
  const { description } = describeEvent(meter.watch(event));
  for (const { arrays, owns, describeRecord } of description.batches ?? []) {
    for (const records of arrays) {
      for (const record of records) if (owns?.(record) ?? true) describeRecord(record);
    }
  }
  return meter.reads;
}

function bound(event: unknown): number {
  return READS_PER_EVENT + READS_PER_VALUE * places(event).length;
}

describe("the reads of an event", () => {
  test("are bounded by its size, whatever it is", () => {
    fc.assert(
      fc.property(anyEvent, (event) => countReads(event) <= bound(event)),
      { numRuns: 500 },
    );
  });

  test("are so with as many records as fit an event, whatever these are", () => {
    fc.assert(
      fc.property(grown, (event) => countReads(event) <= bound(event)),
      { numRuns: 4, endOnFailure: true },
    );
  });

  const names = fixtureNames().filter((name) => listsOf(fixture(name)).length > 0);

  test.each(names)("of %s grow with its records, and no faster", (name) => {
    const [once = 0, twice = 0, thrice = 0] = [100, 200, 300].map((records) => {
      const event = fixture(name);
      for (const list of listsOf(event)) {
        const { length } = list;
        while (list.length < records && length > 0)
          list.push(structuredClone(list[list.length % length]));
      }
      return countReads(event);
    });
    expect(Math.abs(thrice - twice - (twice - once))).toBeLessThanOrEqual(0.02 * once);
  });
});
