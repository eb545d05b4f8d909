/** The tracer provider of a configuration, and its place among OpenTelemetry's globals. */
import { context, propagation, type TextMapPropagator, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Config } from "../config.ts";
import { warnOnce } from "../diag.ts";
import { createIdGenerator } from "./id-generator.ts";
import { resourceAttributes } from "./resource.ts";
import { createSampler } from "./samplers.ts";

/** Where every copy of the API of one major version keeps its globals. */
const API_GLOBALS: unique symbol = Symbol.for("opentelemetry.js.api.1") as never;

/** A provider that hands its spans to this processor and reads no environment variable. */
export function createProvider(config: Config, processor: SpanProcessor): TracerProvider {
  return new TracerProvider({
    resource: resourceFromAttributes(resourceAttributes(config.lambda, config.resourceAttributes)),
    sampler: createSampler(config.sampler),
    spanLimits: config.spanLimits,
    idGenerator: createIdGenerator(),
    spanProcessors: [processor],
  });
}

/**
 * Makes the provider, the propagator and a context manager the global ones.
 *
 * A global that the user has set already stays, with one warning: handlers are still traced by
 * coldspan's provider, but spans that the user's code or libraries make go where the user sent them.
 */
export function registerGlobals(provider: TracerProvider, propagator: TextMapPropagator): void {
  const taken = globalThis as {
    [API_GLOBALS]?: { trace?: object; propagation?: object; context?: object };
  };
  const globals = taken[API_GLOBALS];
  const kept: string[] = [];
  if (globals?.context || !context.setGlobalContextManager(new AsyncLocalStorageContextManager())) {
    kept.push("context manager");
  }
  if (globals?.propagation || !propagation.setGlobalPropagator(propagator)) kept.push("propagator");
  if (globals?.trace || !trace.setGlobalTracerProvider(provider)) kept.push("tracer provider");
  if (kept.length === 0) return;
  warnOnce(
    "globals",
    `the process has a global OpenTelemetry ${kept.join(" and ")} already, which stays: ` +
      "spans of libraries may not reach coldspan's exporters.",
  );
}
