/** Runs the way of a span once, from its start to its bytes, so that its code is compiled in init. */
import { SpanKind } from "@opentelemetry/api";
import { type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Destination } from "../export/destination.ts";
import { createIdGenerator } from "./id-generator.ts";

/** One attribute of each type that ours have. */
const ATTRIBUTES = { text: "rehearsal", number: 1, flag: true, list: ["one"] };

/**
 * Makes a span that nobody sees and encodes it for each destination; never throws.
 *
 * Lambda lends init a whole CPU, and the first invocation of a 128 MB function a fourteenth of one: a
 * quarter of what tracing takes there (6 of 25 ms of CPU) is spent in init so.
 */
export function rehearse(destinations: readonly Pick<Destination, "encode">[]): void {
  const audience: SpanProcessor = {
    onStart: () => undefined,
    onEnd(span) {
      for (const destination of destinations) destination.encode([span]);
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const provider = new TracerProvider({
    idGenerator: createIdGenerator(),
    spanProcessors: [audience],
  });
  const options = { kind: SpanKind.SERVER, attributes: ATTRIBUTES };
  try {
    provider.getTracer("rehearsal").startSpan("rehearsal", options).end();
  } catch {
    // What cannot encode this span cannot encode those that count, and is reported with them.
  }
}
