/** Any JSON, and any mutation of a real event, is described: nothing throws, nothing grows with the input. */
import assert from "node:assert/strict";
import type { AttributeValue } from "@opentelemetry/api";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as semconv from "../../../src/trace/semconv.ts";
import type { Batch, Carrier, EventDescription } from "../../../src/trace/source.ts";
import { type DescribedEvent, describeEvent, SOURCES } from "../../../src/trace/sources.ts";
import { fixture } from "../../support/events.ts";
import { deep, intruder, type Json, mutated, places } from "../../support/hostile-events.ts";

const NAMES = new Set<string>(Object.values(semconv));
const TRIGGERS = ["http", "pubsub", "datasource", "timer", "other"];
const SOURCE_NAMES = SOURCES.map(({ name }) => name);
const MAX_BATCHES = 10;
const MAX_TEXT_LENGTH = 4_096;
/** A name is a method and a route, each a text. */
const MAX_NAME_LENGTH = 2 * MAX_TEXT_LENGTH + 1;
const MAX_FIELD_LENGTH = 8_192;

// Checked millions of times: `expect` takes 30 times as long as `assert`.
function checkAttributes(attributes: EventDescription["attributes"]): void {
  for (const [name, value] of Object.entries(attributes)) {
    assert.ok(NAMES.has(name), name);
    checkValue(value);
  }
}

function checkValue(value: AttributeValue | undefined): void {
  if (typeof value === "string") assert.ok(value.length <= MAX_TEXT_LENGTH);
  else if (typeof value === "number") assert.ok(Number.isFinite(value));
  else assert.equal(typeof value, "boolean");
}

function checkCarrier(carrier: Carrier | undefined): void {
  if (carrier === undefined) return;
  assert.ok(Object.keys(carrier).length > 0);
  for (const [name, value] of Object.entries(carrier)) {
    assert.equal(name, name.toLowerCase());
    assert.equal(typeof value, "string");
    assert.ok(value.length <= MAX_FIELD_LENGTH);
  }
}

function checkBatch(batch: Batch): void {
  checkAttributes(batch.attributes);
  assert.equal(batch.attributes["messaging.system"], batch.system);
  for (const record of [...batch.arrays.flat(), undefined, null, 7, "record"]) {
    batch.owns?.(record);
    const { attributes, carrier, sentAtMs, messageId, group } = batch.describeRecord(record);
    checkAttributes(attributes);
    checkCarrier(carrier);
    assert.ok(sentAtMs === undefined || Number.isFinite(sentAtMs));
    assert.ok(messageId === undefined || typeof messageId === "string");
    assert.ok(group === undefined || typeof group === "string");
  }
}

function check({ source, description, failure }: DescribedEvent): void {
  assert.equal(failure, undefined);
  assert.ok(SOURCE_NAMES.includes(source));
  assert.ok(TRIGGERS.includes(description.trigger));
  const { spanName = "none", batches = [] } = description;
  assert.ok(spanName.length > 0 && spanName.length <= MAX_NAME_LENGTH);
  checkAttributes(description.attributes);
  checkCarrier(description.carrier);
  assert.ok(batches.length <= MAX_BATCHES);
  for (const batch of batches) checkBatch(batch);
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
