import { describe, expect, test } from "vitest";
import { failedIdentifiers, identifierKey } from "../../src/trace/batch-response.ts";

describe("a batch answer", () => {
  test.each([
    [undefined],
    [null],
    [{}],
    ["ok"],
    [{ batchItemFailures: null }],
    [{ batchItemFailures: [] }],
    [{ statusCode: 200 }],
  ])("%j reports no failure", (result) => {
    expect(failedIdentifiers(result)).toBeUndefined();
  });

  test.each([
    [{ batchItemFailures: [{ itemIdentifier: "" }] }],
    [{ batchItemFailures: [{ itemIdentifier: null }] }],
    [{ batchItemFailures: [{ itemId: "m-1" }] }],
    [{ batchItemFailures: [{ itemIdentifier: "m-1" }, null] }],
    [{ batchItemFailures: ["m-1"] }],
    [{ batchItemFailures: { itemIdentifier: "m-1" } }],
    [{ batchItemFailures: [{ itemIdentifier: { partition: "topic-0" } }] }],
  ])("%j is malformed, and fails the whole batch", (result) => {
    expect(failedIdentifiers(result)).toBe("all");
  });

  test("names its failed items, by id or by Kafka's object", () => {
    const offset = { partition: "orders-0", offset: 15 };
    expect(
      failedIdentifiers({
        batchItemFailures: [{ itemIdentifier: "m-1" }, { itemIdentifier: offset }],
      }),
    ).toEqual(["m-1", offset]);
  });

  test("whose getter throws reports nothing: the runtime will fail on it", () => {
    const result = {
      get batchItemFailures(): never {
        throw new Error("no");
      },
    };
    expect(failedIdentifiers(result)).toBeUndefined();
  });
});

describe("an identifier's key", () => {
  test("is equal for equal identifiers only", () => {
    const key = identifierKey({ partition: "orders-0", offset: 15 });
    expect(identifierKey({ offset: 15, partition: "orders-0" })).toBe(key);
    expect(identifierKey({ partition: "orders-0", offset: 16 })).not.toBe(key);
    expect(identifierKey({ partition: "orders-01", offset: 5 })).not.toBe(key);
    expect(identifierKey("m-1")).toBe("m-1");
  });

  test.each([[undefined], [null], [""], [7], [{}], [[]]])("of %j is none", (identifier) => {
    expect(identifierKey(identifier)).toBeUndefined();
  });
});
