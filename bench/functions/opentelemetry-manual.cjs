/** The least one can do with the OpenTelemetry packages: one span, one flush, no instrumentation. */
const { context, SpanKind, trace } = require("@opentelemetry/api");
const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks");
const { BatchSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");
const { handle } = require("bench:app");
const { OTLPTraceExporter } = require("bench:exporter");

const provider = new TracerProvider({
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
context.setGlobalContextManager(new AsyncLocalStorageContextManager());
trace.setGlobalTracerProvider(provider);
const tracer = provider.getTracer("function");

exports.handler = async (event, lambdaContext) => {
  const { functionName } = lambdaContext;
  const traced = async (span) => {
    try {
      return await handle(event, lambdaContext);
    } finally {
      span.end();
    }
  };
  const result = await tracer.startActiveSpan(functionName, { kind: SpanKind.SERVER }, traced);
  await provider.forceFlush();
  return result;
};
