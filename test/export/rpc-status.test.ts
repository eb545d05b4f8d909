import fc from "fast-check";
import { expect, test } from "vitest";
import { readFields } from "../../src/export/protobuf-reader.ts";
import { readRpcStatus } from "../../src/export/rpc-status.ts";
import { readPartialSuccess, readPartialSuccessJson } from "../../src/export/trace-response.ts";
import { field, partialSuccess, statusWithRetryInfo } from "./support/protobuf.ts";

test("the message and the retry delay are read from among other details", () => {
  expect(readRpcStatus(statusWithRetryInfo(2, 500_000_000))).toEqual({
    message: "come back later",
    retryInMs: 2500,
  });
});

test("a status without RetryInfo has no retry delay", () => {
  expect(readRpcStatus(Buffer.concat([field(1, 8), field(2, "full")]))).toEqual({
    message: "full",
    retryInMs: undefined,
  });
});

test("a RetryInfo without a delay is still leave to retry", () => {
  const retryInfo = field(1, "type.googleapis.com/google.rpc.RetryInfo");
  expect(readRpcStatus(field(3, retryInfo)).retryInMs).toBe(0);
});

test("a delay of years is cut to a day", () => {
  expect(readRpcStatus(statusWithRetryInfo(2 ** 40)).retryInMs).toBe(24 * 60 * 60 * 1000);
});

test("a negative delay counts as none", () => {
  const seconds = Buffer.concat([Buffer.from([8]), Buffer.alloc(9, 0xff), Buffer.from([1])]);
  const retryInfo = Buffer.concat([
    field(1, "type.googleapis.com/google.rpc.RetryInfo"),
    field(2, field(1, seconds)),
  ]);
  expect(readRpcStatus(field(3, retryInfo)).retryInMs).toBe(0);
});

test("a partial success is read; an empty answer is none", () => {
  expect(readPartialSuccess(partialSuccess(3, "too old"))).toEqual({
    rejectedSpans: 3,
    message: "too old",
  });
  expect(readPartialSuccess(new Uint8Array())).toBeUndefined();
  expect(readPartialSuccess(field(1, ""))).toBeUndefined();
});

test("a partial success in JSON is read, its count as text or number", () => {
  const partial = (rejectedSpans: unknown) => ({ partialSuccess: { rejectedSpans } });
  expect(readPartialSuccessJson(partial("3"))?.rejectedSpans).toBe(3);
  expect(readPartialSuccessJson(partial(3))?.rejectedSpans).toBe(3);
  expect(readPartialSuccessJson({ partialSuccess: { errorMessage: "hm" } })).toEqual({
    rejectedSpans: 0,
    message: "hm",
  });
  for (const nothing of [{}, null, 1, "x", partial("many"), partial(-1), partial({})]) {
    expect(readPartialSuccessJson(nothing)).toBeUndefined();
  }
});

test.each([
  ["a length beyond the end", [0x12, 5, 1, 2]],
  ["a fixed field beyond the end", [0x09, 1, 2]],
  ["a varint without end", [0x08, 0xff]],
  ["a varint of eleven bytes", [0x08, ...Array(11).fill(0xff), 1]],
  ["a group", [0x0b]],
])("%s is malformed, and what stands there is not read", (_what, bytes) => {
  const visited: unknown[] = [];

  const isWhole = readFields(Uint8Array.from(bytes), (field) => visited.push(field));

  expect({ isWhole, visited }).toEqual({ isWhole: false, visited: [] });
});

test("any bytes at all are read without harm", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { retryInMs = 0 } = readRpcStatus(bytes);
      expect(retryInMs).toBeGreaterThanOrEqual(0);
      expect(retryInMs).toBeLessThanOrEqual(24 * 60 * 60 * 1000);
      expect(readPartialSuccess(bytes)?.rejectedSpans ?? 0).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 2000 },
  );
});

test("a true answer with bytes changed or cut off is read without harm", () => {
  const whole = statusWithRetryInfo(2, 500_000_000);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
      const damaged = Buffer.from(whole);
      damaged[at] = byte;
      expect(readRpcStatus(damaged.subarray(0, length)).retryInMs ?? 0).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 2000 },
  );
});
