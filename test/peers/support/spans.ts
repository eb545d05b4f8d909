/** Spans in quantity, made by the real SDK. */

import { type Attributes, SpanKind } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { type ReadableSpan, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Destination } from "../../../src/export/destination.ts";

/** `count` ended spans, each the root of a trace of its own. */
export function makeSpans(count: number, attributes: Attributes = {}): ReadableSpan[] {
  return collectSpans((provider) => {
    const tracer = provider.getTracer("peers");
    for (let n = 0; n < count; n++) {
      tracer
        .startSpan(`charge order ${n}`, { kind: SpanKind.CONSUMER, root: true, attributes })
        .end();
    }
  });
}

type ProviderConfig = NonNullable<ConstructorParameters<typeof TracerProvider>[0]>;

/** Every span that ends while `use` runs. */
export function collectSpans(
  use: (provider: TracerProvider) => void,
  config: Omit<ProviderConfig, "spanProcessors"> = {},
): ReadableSpan[] {
  const spans: ReadableSpan[] = [];
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "peers" }),
    ...config,
    spanProcessors: [
      {
        onStart: () => undefined,
        onEnd: (span) => spans.push(span),
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  });
  use(provider);
  return spans;
}

/** A destination's request for these spans, as bytes. */
export function encode(destination: Destination, spans: readonly ReadableSpan[]): Uint8Array {
  const request = destination.encode(spans);
  if (request instanceof Uint8Array) return request;
  throw new TypeError(`${destination.name} does not encode to bytes`);
}
