/** `docs/sources.md` says what the code does: its tables are held against the descriptions of all fixtures. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { carrierFromHeaders } from "../../src/trace/carriers.ts";
import { inDialect } from "../../src/trace/dialect.ts";
import * as semconv from "../../src/trace/semconv.ts";
import { type DescribedEvent, describeEvent, SOURCES } from "../../src/trace/sources.ts";
import { fixture, fixtureNames } from "../support/events.ts";

const PAGE = readFileSync(new URL("../../docs/sources.md", import.meta.url), "utf8");
const NAMES: readonly string[] = Object.values(semconv);

/** Body rows of the first table under a heading, as cells. */
function table(heading: string): string[][] {
  const section = PAGE.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function codes(cell = ""): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code as string);
}

/** Bullets of a section's list number `index`: its first word to the names after the colon. */
function bullets(heading: string, index: number): Map<string, string> {
  const section = PAGE.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const lists = section.split("\n\n").filter((paragraph) => paragraph.startsWith("- "));
  const lines = lists[index]?.split("\n").filter((line) => line.startsWith("- ")) ?? [];
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(2, colon).replaceAll(/[`*]/g, ""), line.slice(colon + 2)];
    }),
  );
}

const GROUPS = bullets("Attributes", 0);
const INVOCATIONS = bullets("Attributes", 1);
const RECORDS = bullets("Attributes", 2);

/** Names in code, and what the groups in the text may add to them. */
function attributesIn(text = ""): { named: string[]; possible: string[] } {
  const groups = [...text.matchAll(/\*\*(\w+)\*\*/g)].flatMap(([, group = ""]) =>
    codes(GROUPS.get(group)),
  );
  return { named: codes(text), possible: [...codes(text), ...groups] };
}

const DESCRIBED: ReadonlyMap<string, DescribedEvent[]> = Map.groupBy(
  fixtureNames().map((name) => describeEvent(fixture(name))),
  ({ source }) => source,
);

function invocationNames({ description }: DescribedEvent): string[] {
  const result = description.describeResult?.({ statusCode: 200, status: "200" });
  return Object.keys({ ...description.attributes, ...result?.attributes });
}

function recordNames({ description }: DescribedEvent): string[] {
  return (description.batches ?? []).flatMap(({ attributes, arrays, describeRecord }) => [
    ...Object.keys(attributes),
    ...arrays.flat().flatMap((record) => Object.keys(describeRecord(record).attributes)),
  ]);
}

function hasCarrier({ description }: DescribedEvent): boolean {
  const records = (description.batches ?? []).flatMap(({ arrays, describeRecord }) =>
    arrays.flat().map((record) => describeRecord(record).carrier),
  );
  return [description.carrier, ...records].some((carrier) => carrier !== undefined);
}

describe("docs/sources.md", () => {
  const rows = table("Sources");

  test("lists every source, in the order in which it is asked", () => {
    expect(rows.flatMap(([source]) => codes(source))).toEqual(SOURCES.map(({ name }) => name));
  });

  test.each(rows.map((row) => [codes(row[0])[0] as string, row] as const))(
    "is right about %s",
    (source, [, , trigger, spanName, carrier]) => {
      const events = DESCRIBED.get(source) ?? [];
      expect(new Set(events.map(({ description }) => description.trigger))).toEqual(
        new Set(codes(trigger)),
      );
      const named = events.some(({ description }) => description.spanName !== undefined);
      expect(spanName !== "function name").toBe(named);
      expect(carrier?.startsWith("nothing")).toBe(!events.some(hasCarrier));
      for (const [cell, read] of [
        [INVOCATIONS.get(source), invocationNames],
        [RECORDS.get(source), recordNames],
      ] as const) {
        const seen = new Set(events.flatMap(read));
        const documented = attributesIn(cell);
        expect(documented.possible).toEqual(expect.arrayContaining([...seen]));
        expect([...seen]).toEqual(expect.arrayContaining(documented.named));
      }
    },
  );

  test("names no attribute or source that does not exist, and every attribute of our own", () => {
    expect([...GROUPS.keys()]).toEqual(["http", "messaging"]);
    const lists = [...GROUPS.values(), ...INVOCATIONS.values(), ...RECORDS.values()];
    for (const name of lists.flatMap((list) => codes(list))) expect(NAMES).toContain(name);
    const sources = SOURCES.map(({ name }) => name);
    expect(sources).toEqual(expect.arrayContaining([...INVOCATIONS.keys(), ...RECORDS.keys()]));
    expect(table("Our own attributes").flatMap(([name]) => codes(name))).toEqual(
      NAMES.filter((name) => name.startsWith("coldspan.")),
    );
  });

  test("lists the fields of context that are read", () => {
    const sentence = /Only the fields[^.]*: (.*?)\. A value/.exec(PAGE)?.[1];
    const fields = codes(sentence);
    const headers = Object.fromEntries(fields.map((field) => [field, "x"]));
    expect(fields).toHaveLength(10);
    expect(carrierFromHeaders(headers)).toEqual(headers);
  });

  test("lists what the dialect of 1.45 renames, and all of it", () => {
    const renames = table("Dialects").map(([from, to]) => [codes(from)[0], codes(to)[0]]);
    const actual = NAMES.map((name) => [name, Object.keys(inDialect({ [name]: 1 }, "1.45"))[0]]);
    expect(renames.sort()).toEqual(actual.filter(([from, to]) => from !== to).sort());
  });

  test("says which records can be named in a batch answer", () => {
    for (const [sourceCell, , identifier, order] of table("Records")) {
      const events = DESCRIBED.get(codes(sourceCell)[0] as string) ?? [];
      const records = events.flatMap(({ description }) =>
        (description.batches ?? []).flatMap(({ arrays, describeRecord }) =>
          arrays.flat().map((record) => describeRecord(record)),
        ),
      );
      expect(records.some(({ itemIdentifier }) => itemIdentifier !== undefined)).toBe(
        identifier !== "–",
      );
      expect(records.some(({ group }) => group !== undefined)).toBe(order !== "–");
    }
  });
});
