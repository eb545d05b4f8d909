import { context, diag, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { afterEach, expect, test, vi } from "vitest";
import { type Config, resolveConfig } from "../../src/config.ts";
import { createPropagators } from "../../src/sdk/propagators.ts";
import { createProvider, registerGlobals } from "../../src/sdk/provider.ts";

afterEach(() => {
  trace.disable();
  context.disable();
  propagation.disable();
  diag.disable();
  vi.restoreAllMocks();
});

function start(env: Record<string, string>): {
  exporter: InMemorySpanExporter;
  config: Config;
  provider: TracerProvider;
} {
  const { config } = resolveConfig(env);
  const exporter = new InMemorySpanExporter();
  const provider = createProvider(config, new SimpleSpanProcessor({ exporter }));
  return { exporter, config, provider };
}

test("spans carry the resource, X-Ray's kind of id, and stay within the limits", () => {
  const { exporter, provider } = start({
    AWS_LAMBDA_FUNCTION_NAME: "orders",
    OTEL_ATTRIBUTE_COUNT_LIMIT: "1",
    OTEL_SPAN_LINK_COUNT_LIMIT: "2",
  });
  const link = { context: { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 } };
  provider
    .getTracer("test")
    .startSpan("s", { attributes: { a: 1, b: 2 }, links: [link, link, link] })
    .end();
  const [span] = exporter.getFinishedSpans();
  expect(span?.resource.attributes).toMatchObject({
    "faas.name": "orders",
    "service.name": "orders",
  });
  expect(span?.attributes).toEqual({ a: 1 });
  expect(span?.links).toHaveLength(2);
  const seconds = Number.parseInt(span?.spanContext().traceId.slice(0, 8) ?? "", 16);
  expect(Math.abs(seconds - Date.now() / 1_000)).toBeLessThan(60);
});

test("10,000 links are kept when the user set no limit", () => {
  const { exporter, provider } = start({});
  const links = Array.from({ length: 10_000 }, () => ({
    context: { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 },
  }));
  provider.getTracer("test").startSpan("batch", { links }).end();
  expect(exporter.getFinishedSpans()[0]?.links).toHaveLength(10_000);
});

test("the globals of a fresh process are ours, and context survives an await", async () => {
  const { exporter, config, provider } = start({});
  registerGlobals(provider, createPropagators(config.propagators, () => undefined).carrier);
  const tracer = trace.getTracer("user");
  await tracer.startActiveSpan("outer", async (outer) => {
    await new Promise(setImmediate);
    const carrier: Record<string, string> = {};
    propagation.inject(context.active(), carrier);
    expect(carrier.traceparent).toContain(outer.spanContext().spanId);
    tracer.startSpan("inner").end();
    outer.end();
  });
  const [inner, outer] = exporter.getFinishedSpans();
  expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
});

test("a provider that the user has registered stays, and one line says so", () => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const own = new InMemorySpanExporter();
  const users = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter: own })],
  });
  trace.setGlobalTracerProvider(users);
  const { exporter, config, provider } = start({});
  const { carrier } = createPropagators(config.propagators, () => undefined);
  registerGlobals(provider, carrier);
  registerGlobals(provider, carrier);
  trace.getTracer("library").startSpan("theirs").end();
  provider.getTracer("coldspan").startSpan("ours").end();
  expect(own.getFinishedSpans().map((span) => span.name)).toEqual(["theirs"]);
  expect(exporter.getFinishedSpans().map((span) => span.name)).toEqual(["ours"]);
  expect(propagation.fields()).toEqual(carrier.fields());
  expect(context.active()).toBe(ROOT_CONTEXT);
  expect(written.mock.calls.join()).toContain("tracer provider already, which stays");
  expect(written).toHaveBeenCalledTimes(1);
});
