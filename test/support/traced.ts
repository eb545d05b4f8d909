/** A real provider with spans kept in memory, filled into the seam: the wrapper without the way out. */
import { context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { createPropagators } from "../../src/sdk/propagators.ts";
import { XrayPropagator } from "../../src/sdk/xray-propagators.ts";
import { type Lifecycle, setLifecycle } from "../../src/seam.ts";

export interface Traced {
  readonly lifecycle: Lifecycle;
  spans(): ReadableSpan[];
  named(name: string): ReadableSpan[];
  reset(): void;
}

const carrierGetter = {
  keys: (carrier: Readonly<Record<string, string>>) => Object.keys(carrier),
  get: (carrier: Readonly<Record<string, string>>, key: string) => carrier[key],
};

const xray = new XrayPropagator();

/** Starts tracing in this process; `overrides` replace parts of the lifecycle. */
export function startTraced(overrides: Partial<Lifecycle> = {}): Traced {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    spanLimits: { linkCountLimit: 100_000 },
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  propagation.setGlobalPropagator(
    createPropagators(["tracecontext", "baggage"], () => undefined).carrier,
  );
  trace.setGlobalTracerProvider(provider);
  const lifecycle: Lifecycle = {
    tracer: provider.getTracer("coldspan"),
    functionName: "orders-function",
    settings: {
      recordParent: "producer",
      semconv: "1.44",
      inboundContext: { default: "parent", bySource: {} },
    },
    claimColdStart: () => false,
    invocationStarted: () => {},
    invocationEnded: () => undefined,
    extract: (base, carrier) => propagation.extract(base, carrier, carrierGetter),
    extractMessage: (carrier) => propagation.extract(ROOT_CONTEXT, carrier, carrierGetter),
    extractTraceHeader: (base, carrier) => xray.extract(base, carrier, carrierGetter),
    flush: () => Promise.resolve(),
    stats: () => ({ destinations: [] }),
    ...overrides,
  };
  setLifecycle(lifecycle);
  return {
    lifecycle,
    spans: () => exporter.getFinishedSpans(),
    named: (name) => exporter.getFinishedSpans().filter((span) => span.name === name),
    reset: () => exporter.reset(),
  };
}
