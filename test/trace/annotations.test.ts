import { trace } from "@opentelemetry/api";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { addMetadata, annotate } from "../../src/trace/annotations.ts";
import { withTracing } from "../../src/trace/handler.ts";
import { sqsEvent } from "../support/sqs.ts";
import { startTraced } from "../support/traced.ts";

const traced = startTraced();

beforeEach(() => traced.reset());

/** Attributes of the invocation's span after work in its handler. */
async function attributesAfter(work: () => void): Promise<Record<string, unknown>> {
  await withTracing(async () => work())();
  const [span] = traced.spans();
  return Object.fromEntries(
    Object.entries(span?.attributes ?? {}).filter(([name]) => !/^(faas|coldspan)\./.test(name)),
  );
}

describe("annotate", () => {
  it("sets attributes of any plain type and lists their keys for X-Ray, each once", async () => {
    const attributes = await attributesAfter(() => {
      annotate("customer", "c-17");
      annotate("items", 3);
      annotate("express", true);
      annotate("items", 4);
    });
    expect(attributes).toEqual({
      customer: "c-17",
      items: 4,
      express: true,
      "aws.xray.annotations": ["customer", "items", "express"],
    });
  });

  it("annotates the record in whose turn it is called, and no other span", async () => {
    await withTracing(async ({ Records }: ReturnType<typeof sqsEvent>) => {
      for (const { messageId } of Records) annotate("message", messageId);
      annotate("batch", "done");
    })(sqsEvent(2));
    const annotated = traced
      .spans()
      .map(({ attributes }) => [
        attributes.message ?? attributes.batch,
        attributes["aws.xray.annotations"],
      ])
      .filter(([value]) => value !== undefined);
    expect(annotated).toEqual([
      ["message-1", ["message"]],
      ["message-2", ["message"]],
      ["done", ["batch"]],
    ]);
  });

  it("lists no more keys than X-Ray indexes, and sets the others all the same", async () => {
    const attributes = await attributesAfter(() => {
      for (let n = 0; n < 60; n++) annotate(`key${n}`, n);
    });
    expect(attributes["aws.xray.annotations"]).toHaveLength(50);
    expect(attributes.key59).toBe(59);
  });

  it("warns once of a key that X-Ray refuses, and sets it as a plain attribute", async () => {
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const attributes = await attributesAfter(() => {
      annotate("order.id", 1);
      annotate("order.id", 2);
    });
    expect(attributes).toEqual({ "order.id": 2 });
    expect(written.mock.calls.flat().join("")).toMatch(
      /^coldspan: annotate: [^\n]*"order\.id"[^\n]*\n$/,
    );
    written.mockRestore();
  });

  it("does nothing where no span is current", () => {
    expect(trace.getActiveSpan()).toBeUndefined();
    expect(() => annotate("customer", "c-17")).not.toThrow();
    expect(traced.spans()).toEqual([]);
  });
});

describe("addMetadata", () => {
  it("keeps plain values and writes all others as JSON", async () => {
    const attributes = await attributesAfter(() => {
      addMetadata("text", "t");
      addMetadata("number", 7);
      addMetadata("flag", false);
      addMetadata("list", ["a", { b: 1 }]);
      addMetadata("nothing", null);
      addMetadata("missing", undefined);
    });
    expect(attributes).toEqual({
      "aws.xray.metadata.text": "t",
      "aws.xray.metadata.number": 7,
      "aws.xray.metadata.flag": false,
      "aws.xray.metadata.list": '["a",{"b":1}]',
      "aws.xray.metadata.nothing": "null",
      "aws.xray.metadata.missing": "undefined",
    });
  });

  it.each([
    ["a cycle", cycle()],
    ["a bigint", 1n],
    ["a toJSON that throws", { toJSON: () => fail() }],
  ])("survives %s, with one warning", async (name, value) => {
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const attributes = await attributesAfter(() => {
      addMetadata(name, value);
      addMetadata(name, value);
    });
    expect(attributes).toEqual({ [`aws.xray.metadata.${name}`]: "[not serialisable]" });
    expect(written.mock.calls).toHaveLength(1);
    written.mockRestore();
  });

  it("does nothing where no span is current", () => {
    expect(() => addMetadata("items", [1])).not.toThrow();
  });
});

function cycle(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}

function fail(): never {
  throw new Error("no JSON of this");
}
