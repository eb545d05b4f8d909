import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { encodeTraces } from "../../src/export/otlp-encoder.ts";
import { encodeTracesJson } from "../../src/export/otlp-json.ts";
import { rehearse } from "../../src/sdk/rehearsal.ts";

test("every destination encodes one finished span", () => {
  const spans: ReadableSpan[] = [];
  const requests: Uint8Array[] = [];
  const encodes = [encodeTraces, encodeTracesJson];

  rehearse(
    encodes.map((encode) => ({
      encode(given) {
        spans.push(...given);
        const request = encode(given);
        requests.push(request);
        return request;
      },
    })),
  );

  expect(spans.map(({ name, ended }) => [name, ended])).toEqual([
    ["rehearsal", true],
    ["rehearsal", true],
  ]);
  expect(requests.every(({ length }) => length > 0)).toBe(true);
});

test("a destination that cannot encode harms nothing", () => {
  const fail = (): never => {
    throw new Error("no");
  };
  expect(() => rehearse([{ encode: fail }])).not.toThrow();
});
