/** Any JSON, and any mutation of a real event, is described: nothing throws, nothing grows with the input. */
import type { AttributeValue } from "@opentelemetry/api";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as semconv from "../../../src/trace/semconv.ts";
import type { Batch, Carrier, EventDescription } from "../../../src/trace/source.ts";
import { type DescribedEvent, describeEvent, SOURCES } from "../../../src/trace/sources.ts";
import { fixture, fixtureNames } from "../../support/events.ts";

const NAMES = new Set<string>(Object.values(semconv));
const TRIGGERS = ["http", "pubsub", "datasource", "timer", "other"];
const SOURCE_NAMES = SOURCES.map(({ name }) => name);
const MAX_BATCHES = 10;
const MAX_TEXT_LENGTH = 4_096;
/** A name is a method and a route, each a text. */
const MAX_NAME_LENGTH = 2 * MAX_TEXT_LENGTH + 1;
const MAX_FIELD_LENGTH = 8_192;

const MEGABYTE = "x".repeat(1_048_576);

function deep(levels: number): unknown {
  let value: unknown = "traceparent";
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { metadata: value };
  return value;
}

/** What hostile or broken producers put where something else belongs. */
const intruder: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    "",
    0,
    -1,
    1e308,
    true,
    [],
    {},
    MEGABYTE,
    `{"TopicArn":${MEGABYTE}`,
    '{"TopicArn":{},"Message":"{\\"detail-type\\":1}","MessageAttributes":[]}',
    '{"detail-type":"x","source":[],"detail":{"metadata":[]}}',
    '{"Records":{"eventSource":"aws:s3"}}',
    "\ud800%E0%A4%A",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "arn:aws:::",
    "aws:sqs",
    JSON.parse('{"__proto__":{"traceparent":"x"},"constructor":1,"toString":2,"length":3}'),
    Array.from({ length: 1_000 }, () => null),
    Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, [null]])),
    deep(500),
  ),
  fc.jsonValue(),
  fc.string(),
);

type Json = Record<string, unknown>;

/** Every place of a value, as the object that holds it and the key there. */
function places(value: unknown, found: [Json, string][] = []): [Json, string][] {
  if (typeof value !== "object" || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value as Json, key]);
    places((value as Json)[key], found);
  }
  return found;
}

const mutated: fc.Arbitrary<unknown> = fc
  .tuple(
    fc.constantFrom(...fixtureNames()),
    fc.array(fc.tuple(fc.nat(), fc.option(intruder, { nil: undefined })), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([name, changes]) => {
    const event = fixture(name);
    const all = places(event);
    for (const [choice, value] of changes) {
      const [holder, key] = all[choice % all.length] as [Json, string];
      if (value === undefined) delete holder[key];
      else holder[key] = value;
    }
    return event;
  });

function checkAttributes(attributes: EventDescription["attributes"]): void {
  for (const [name, value] of Object.entries(attributes)) {
    expect(NAMES).toContain(name);
    checkValue(value);
  }
}

function checkValue(value: AttributeValue | undefined): void {
  if (typeof value === "string") expect(value.length).toBeLessThanOrEqual(MAX_TEXT_LENGTH);
  else if (typeof value === "number") expect(Number.isFinite(value)).toBe(true);
  else expect(value).toBeTypeOf("boolean");
}

function checkCarrier(carrier: Carrier | undefined): void {
  if (carrier === undefined) return;
  expect(Object.keys(carrier).length).toBeGreaterThan(0);
  for (const [name, value] of Object.entries(carrier)) {
    expect(name).toBe(name.toLowerCase());
    expect(value).toBeTypeOf("string");
    expect(value.length).toBeLessThanOrEqual(MAX_FIELD_LENGTH);
  }
}

function checkBatch(batch: Batch): void {
  checkAttributes(batch.attributes);
  expect(batch.attributes["messaging.system"]).toBe(batch.system);
  for (const record of [...batch.arrays.flat(), undefined, null, 7, "record"]) {
    batch.owns?.(record);
    const { attributes, carrier, sentAtMs, messageId, group } = batch.describeRecord(record);
    checkAttributes(attributes);
    checkCarrier(carrier);
    expect(sentAtMs === undefined || Number.isFinite(sentAtMs)).toBe(true);
    expect(["string", "undefined"]).toContain(typeof messageId);
    expect(["string", "undefined"]).toContain(typeof group);
  }
}

function check({ source, description, failure }: DescribedEvent): void {
  expect(failure).toBeUndefined();
  expect(SOURCE_NAMES).toContain(source);
  expect(TRIGGERS).toContain(description.trigger);
  expect(description.spanName?.length ?? 1).toBeGreaterThan(0);
  expect(description.spanName?.length ?? 1).toBeLessThanOrEqual(MAX_NAME_LENGTH);
  checkAttributes(description.attributes);
  checkCarrier(description.carrier);
  expect(description.batches?.length ?? 0).toBeLessThanOrEqual(MAX_BATCHES);
  for (const batch of description.batches ?? []) checkBatch(batch);
}

describe("hostile events", () => {
  test("of any JSON are described", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), intruder), (event) => check(describeEvent(event))),
      { numRuns: 1_000 },
    );
  });

  test("made from real ones are described, and answers of any kind read", () => {
    fc.assert(
      fc.property(mutated, intruder, (event, answer) => {
        const described = describeEvent(event);
        check(described);
        const result = described.description.describeResult?.(answer);
        checkAttributes(result?.attributes ?? {});
      }),
      { numRuns: 3_000 },
    );
  });

  test("stay as they were", () => {
    fc.assert(
      fc.property(mutated, (event) => {
        const before = JSON.stringify(event);
        check(describeEvent(event));
        expect(JSON.stringify(event)).toBe(before);
      }),
      { numRuns: 300 },
    );
  });

  test.each([undefined, null, 7, "event", true, Symbol("event"), () => 0])(
    "that are no objects are other (%#)",
    (event) => {
      const described = describeEvent(event);
      check(described);
      expect(described.source).toBe("other");
    },
  );

  test("that throw when they are read are other, and the failure is handed on", () => {
    const thrown = new Error("no");
    const event = {
      get requestContext(): never {
        throw thrown;
      },
    };
    expect(describeEvent(event)).toEqual({
      source: "other",
      description: { trigger: "other", attributes: {} },
      failure: thrown,
    });
  });

  test("nested 100,000 levels deep are described", () => {
    for (const name of ["eventbridge", "api-gateway-v1", "kinesis", "sqs-envelopes"]) {
      const event = fixture(name) as Json;
      for (const [holder, key] of places(event).slice(0, 40)) {
        const value = holder[key];
        holder[key] = deep(100_000);
        check(describeEvent(event));
        holder[key] = value;
      }
    }
  });

  test("with 10,000 keys of records make at most ten batches", () => {
    const lists = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, n) => [`topic${n}-0`, [{}]]),
    );
    const kafka = describeEvent({ eventSource: "aws:kafka", records: lists });
    expect(kafka.source).toBe("kafka");
    expect(kafka.description.batches).toHaveLength(1);
    expect(kafka.description.batches?.[0]?.arrays).toHaveLength(10_000);
  });
});
