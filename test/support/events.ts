/** Event fixtures, and descriptions turned into plain data that `toEqual` and JSON can hold. */
import { readdirSync, readFileSync } from "node:fs";
import { type DescribedEvent, describeEvent } from "../../src/trace/sources.ts";

const EVENTS = new URL("../fixtures/events/", import.meta.url);

/** File names of the fixtures, without `.json`. */
export function fixtureNames(): string[] {
  return readdirSync(EVENTS)
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .sort();
}

/** The event of `test/fixtures/events/{name}.json`, parsed anew. */
export function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, EVENTS), "utf8"));
}

/** Everything a description says, its records described too. */
export function plain({ source, description }: DescribedEvent): Record<string, unknown> {
  const { batches, describeResult, ...rest } = description;
  return {
    source,
    ...rest,
    ...(describeResult && { readsResult: true }),
    ...(batches && {
      batches: batches.map(({ arrays, describeRecord, owns, ...batch }) => ({
        ...batch,
        records: arrays
          .flat()
          .filter((record) => owns?.(record) ?? true)
          .map((record) => describeRecord(record)),
      })),
    }),
  };
}

/** The plain description of a fixture. */
export function described(name: string): Record<string, unknown> {
  return plain(describeEvent(fixture(name)));
}
