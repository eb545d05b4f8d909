import type { AnyValue } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import type { Destination } from "../../src/export/destination.ts";
import { createAuthority } from "../support/certificates.ts";
import { useCollector } from "./support/collector.ts";
import { expectedSpan } from "./support/expected-span.ts";
import { collectSpans, encode, makeSpans } from "./support/spans.ts";
import { openWay, PROTOCOLS, WAYS, type Way } from "./support/way.ts";
import { makeWholeSpans } from "./support/whole-spans.ts";

const TIMEOUT_MS = 8000;
const LARGE = { text: "x".repeat(10_000) };

const authority = createAuthority();
const collector = useCollector(authority);

function open(way: Way): Promise<Destination> {
  return openWay(collector(), authority, way);
}

test.each(WAYS)(
  "over %s, every field of every span comes out of the Collector as it went in",
  async (_, way) => {
    const destination = await open(way);
    const spans = makeWholeSpans();
    const ids = new Set(spans.map((span) => span.spanContext().spanId));

    const outcome = await destination.send(encode(destination, spans), TIMEOUT_MS);

    expect(outcome).toMatchObject({ status: "success" });
    expect(outcome).not.toHaveProperty("rejectedSpans");
    const received = await collector().waitForSpans(spans.length, ({ spanId }) => ids.has(spanId));
    expect(received.map(({ requestIndex, ...span }) => span)).toEqual(spans.map(expectedSpan));
  },
);

/** Name, value, and what must come out. JavaScript has one kind of number, OTLP has int64 and double. */
const EDGES: readonly [string, AnyValue, unknown][] = [
  ["not a number", Number.NaN, Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ["negative infinity", Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ["negative zero", -0, 0],
  ["2^53", 2 ** 53, 2n ** 53n],
  ["-2^60", -(2 ** 60), -(2n ** 60n)],
  ["2^63, too large for int64", 2 ** 63, 2 ** 63],
  ["-2^63, int64's least", -(2 ** 63), -(2n ** 63n)],
  ["1e20", 1e20, 1e20],
  ["1e300", 1e300, 1e300],
  ["largest double", Number.MAX_VALUE, Number.MAX_VALUE],
  ["half a surrogate pair", "a\ud800b", "a\ufffdb"],
];

test.each(PROTOCOLS)(
  "over %s, values at the edge of what OTLP can say come out as near as it can",
  async (_, way) => {
    const destination = await open(way);
    const spans = collectSpans((provider) => {
      const attributes = Object.fromEntries(EDGES.map(([name, value]) => [name, value]));
      provider.getTracer("edges").startSpan("edges", { attributes }).end();
    });
    const [spanId] = spans.map((span) => span.spanContext().spanId);

    const outcome = await destination.send(encode(destination, spans), TIMEOUT_MS);

    expect(outcome).toMatchObject({ status: "success" });
    const [received] = await collector().waitForSpans(1, (span) => span.spanId === spanId);
    expect(received?.attributes).toEqual(
      Object.fromEntries(EDGES.map(([name, , expected]) => [name, expected])),
    );
  },
);

test("schema URLs come out as they went in", async () => {
  const destination = await open({ to: "grpc" });
  const resource = resourceFromAttributes({}, { schemaUrl: "https://schema.example/resource" });
  const spans = collectSpans(
    (provider) => {
      const schemaUrl = "https://schema.example/scope";
      provider.getTracer("schemas", "1", { schemaUrl }).startSpan("schemas").end();
    },
    { resource },
  );
  const [spanId] = spans.map((span) => span.spanContext().spanId);

  await destination.send(encode(destination, spans), TIMEOUT_MS);
  await collector().waitForSpans(1, (span) => span.spanId === spanId);

  expect(collector().requests().at(-1)?.resourceSpans).toMatchObject([
    {
      schemaUrl: "https://schema.example/resource",
      scopeSpans: [{ schemaUrl: "https://schema.example/scope" }],
    },
  ]);
});

test.each(PROTOCOLS)(
  "over %s, the largest request is within the Collector's own limits",
  async (_, way) => {
    const destination = await open(way);
    const spans = makeLargeSpans(destination);
    const traceIds = new Set(spans.map((span) => span.spanContext().traceId));
    const request = encode(destination, spans);

    expect(request.byteLength).toBeGreaterThan(0.95 * destination.maxRequestBytes);
    expect(request.byteLength).toBeLessThanOrEqual(destination.maxRequestBytes);
    expect(await destination.send(request, TIMEOUT_MS)).toMatchObject({ status: "success" });
    await collector().waitForSpans(spans.length, ({ traceId }) => traceIds.has(traceId));
  },
);

/** As many spans as one request of this destination holds. */
function makeLargeSpans(destination: Destination): ReadableSpan[] {
  const sample = makeSpans(100, LARGE);
  const bytesPerSpan = encode(destination, sample).byteLength / sample.length;
  return makeSpans(Math.floor(destination.maxRequestBytes / bytesPerSpan), LARGE);
}

test.each(PROTOCOLS)(
  "over %s, the Collector's refusal is final and its reason is read",
  async (_, way) => {
    const destination = await open(way);

    expect(await destination.send(Buffer.from("no spans at all"), TIMEOUT_MS)).toMatchObject({
      status: "failure",
      error: { message: expect.stringMatching(/^(INTERNAL|HTTP 400): .+/) },
    });
  },
);
