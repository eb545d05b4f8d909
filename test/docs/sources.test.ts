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

const GROUPS = new Map(table("Groups").map(([name, names]) => [name, codes(names)]));

/** Names in code, and what the groups in the cell may add to them. */
function attributesIn(cell = ""): { named: string[]; possible: string[] } {
  const groups = [...cell.matchAll(/\*\*\w+\*\*/g)].flatMap(([group]) => GROUPS.get(group) ?? []);
  return { named: codes(cell), possible: [...codes(cell), ...groups] };
}

const DESCRIBED = Map.groupBy(
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
    (source, [, , trigger, spanName, invocation, record, carrier]) => {
      const events = DESCRIBED.get(source) ?? [];
      expect(new Set(events.map(({ description }) => description.trigger))).toEqual(
        new Set(codes(trigger)),
      );
      const named = events.some(({ description }) => description.spanName !== undefined);
      expect(spanName !== "function name").toBe(named);
      expect(carrier?.startsWith("nothing")).toBe(!events.some(hasCarrier));
      for (const [cell, read] of [
        [invocation, invocationNames],
        [record, recordNames],
      ] as const) {
        const seen = new Set(events.flatMap(read));
        const documented = attributesIn(cell);
        expect(documented.possible).toEqual(expect.arrayContaining([...seen]));
        expect([...seen]).toEqual(expect.arrayContaining(documented.named));
      }
    },
  );

  test("names no attribute that does not exist, and every one of our own", () => {
    const cells = [
      ...rows.flatMap((row) => [row[4], row[5]]),
      ...[...GROUPS.values()].flat().map((name) => `\`${name}\``),
    ];
    for (const name of cells.flatMap((cell) => codes(cell))) expect(NAMES).toContain(name);
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
