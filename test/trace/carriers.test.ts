import { describe, expect, test } from "vitest";
import {
  carrierFromBase64Json,
  carrierFromClientContext,
  carrierFromHeaders,
  carrierFromKafkaHeaders,
  carrierFromMessageAttributes,
  carrierFromPayload,
  carrierFromRabbitHeaders,
  withTraceHeader,
} from "../../src/trace/carriers.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function base64(payload: unknown): string {
  return Buffer.from(JSON.stringify(payload)).toString("base64");
}

/** Bytes as Java writes them: signed. */
function signedBytes(value: string): number[] {
  return [...Buffer.from(value, "latin1")].map((byte) => (byte > 127 ? byte - 256 : byte));
}

describe("headers", () => {
  test("are found in any letter case, and come out in lower case", () => {
    expect(carrierFromHeaders({ TraceParent: TRACEPARENT, "X-Amzn-Trace-Id": "Root=1" })).toEqual({
      traceparent: TRACEPARENT,
      "x-amzn-trace-id": "Root=1",
    });
  });

  test("that no propagator reads are not copied", () => {
    expect(carrierFromHeaders({ authorization: "Bearer x", cookie: "a=b" })).toBeUndefined();
  });

  test("join when repeated, so that two trace parents are none", () => {
    const headers = { baggage: ["a=1", "b=2"], traceparent: [TRACEPARENT, TRACEPARENT] };
    expect(carrierFromHeaders(headers)).toEqual({
      baggage: "a=1,b=2",
      traceparent: `${TRACEPARENT},${TRACEPARENT}`,
    });
  });

  test("of CloudFront are lists of key and value", () => {
    const headers = { traceparent: [{ key: "Traceparent", value: TRACEPARENT }] };
    expect(carrierFromHeaders(headers)).toEqual({ traceparent: TRACEPARENT });
  });

  test("longer than 8,192 characters are dropped, alone and joined", () => {
    const megabyte = "a=1,".repeat(262_144);
    expect(carrierFromHeaders({ baggage: megabyte })).toBeUndefined();
    expect(carrierFromHeaders({ baggage: Array(5).fill("x".repeat(2_000)) })).toBeUndefined();
  });

  test.each([
    null,
    undefined,
    "traceparent",
    7,
    [],
    {},
    { traceparent: 7 },
    { baggage: [{}, null] },
  ])("in the shape %j carry nothing", (headers) => {
    expect(carrierFromHeaders(headers)).toBeUndefined();
  });

  test("named like object internals stay names", () => {
    const headers = JSON.parse('{"__proto__":{"traceparent":"x"},"constructor":"y","b3":"0"}');
    const carrier = carrierFromHeaders(headers);
    expect(carrier).toEqual({ b3: "0" });
    expect(Object.getPrototypeOf(carrier)).toBe(Object.prototype);
  });
});

describe("message attributes", () => {
  test.each([
    [{ stringValue: TRACEPARENT, dataType: "String" }],
    [{ StringValue: TRACEPARENT, DataType: "String" }],
    [{ Type: "String", Value: TRACEPARENT }],
  ])("hold their text as %j", (value) => {
    expect(carrierFromMessageAttributes({ Traceparent: value })).toEqual({
      traceparent: TRACEPARENT,
    });
  });

  test.each([
    [{ binaryValue: "AAAA", dataType: "Binary" }],
    [{ Type: "Binary", Value: "AAAA" }],
    [{ stringValue: null, stringListValues: [] }],
    ["00-plain-text"],
    [null],
  ])("in the form %j are not read", (value) => {
    expect(carrierFromMessageAttributes({ traceparent: value })).toBeUndefined();
  });

  test("give way to the X-Ray header of the queue", () => {
    const carrier = carrierFromMessageAttributes({
      "x-amzn-trace-id": { stringValue: "Root=old" },
      b3: { stringValue: "0" },
    });
    expect(withTraceHeader(carrier, "Root=new")).toEqual({
      "x-amzn-trace-id": "Root=new",
      b3: "0",
    });
    expect(withTraceHeader(carrier, undefined)).toBe(carrier);
    expect(withTraceHeader(undefined, 7)).toBeUndefined();
  });
});

describe("payloads", () => {
  test("hold context at their top or under metadata, the top first", () => {
    expect(carrierFromPayload({ traceparent: TRACEPARENT, metadata: { b3: "0" } })).toEqual({
      traceparent: TRACEPARENT,
    });
    expect(carrierFromPayload({ metadata: { b3: "0" }, data: {} })).toEqual({ b3: "0" });
    expect(carrierFromPayload({ metadata: "b3" })).toBeUndefined();
  });

  test("in base64 are decoded when they are small JSON objects", () => {
    expect(carrierFromBase64Json(base64({ traceparent: TRACEPARENT, id: 1 }))).toEqual({
      traceparent: TRACEPARENT,
    });
    expect(carrierFromBase64Json(base64({ metadata: { "x-b3-traceid": "1" } }))).toEqual({
      "x-b3-traceid": "1",
    });
    expect(carrierFromBase64Json(base64({ id: 1 }))).toBeUndefined();
    expect(carrierFromBase64Json(base64([TRACEPARENT]))).toBeUndefined();
    expect(
      carrierFromBase64Json(base64({ traceparent: TRACEPARENT, pad: "x".repeat(4_096) })),
    ).toBe(undefined);
    expect(carrierFromBase64Json("e30traceparent")).toBeUndefined();
    expect(carrierFromBase64Json(undefined)).toBeUndefined();
  });
});

describe("broker headers", () => {
  test("of Kafka are signed bytes in a list", () => {
    const headers = [
      { other: [1, 2] },
      { traceparent: signedBytes(TRACEPARENT) },
      { baggage: signedBytes("city=Zürich") },
    ];
    expect(carrierFromKafkaHeaders(headers)).toEqual({
      traceparent: TRACEPARENT,
      baggage: "city=Zürich",
    });
  });

  test.each([null, {}, [null], [{ traceparent: "text" }], [{ traceparent: [null] }]])(
    "of Kafka in the shape %j carry nothing",
    (headers) => {
      expect(carrierFromKafkaHeaders(headers)).toBeUndefined();
    },
  );

  test("of RabbitMQ are bytes or plain text", () => {
    expect(
      carrierFromRabbitHeaders({
        traceparent: { bytes: signedBytes(TRACEPARENT) },
        b3: "0",
        n: 10,
      }),
    ).toEqual({ traceparent: TRACEPARENT, b3: "0" });
  });
});

test("a client context carries it under custom, in either letter case", () => {
  expect(carrierFromClientContext({ custom: { traceparent: TRACEPARENT } })).toEqual({
    traceparent: TRACEPARENT,
  });
  expect(carrierFromClientContext({ Custom: { b3: "0" }, client: {} })).toEqual({ b3: "0" });
  expect(carrierFromClientContext(undefined)).toBeUndefined();
});
