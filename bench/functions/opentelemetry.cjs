/**
 * The OpenTelemetry packages put together and preloaded, as the README of
 * `@opentelemetry/instrumentation-aws-lambda` tells. Its ESM hook is needed from Node 24 on, and
 * wherever runtime client 4 loads the handler.
 */
const { context, propagation, trace } = require("@opentelemetry/api");
const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks");
const {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} = require("@opentelemetry/core");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { AwsLambdaInstrumentation } = require("@opentelemetry/instrumentation-aws-lambda");
const { AwsInstrumentation } = require("@opentelemetry/instrumentation-aws-sdk");
const { AWSXRayPropagator } = require("@opentelemetry/propagator-aws-xray");
const { awsLambdaDetector } = require("@opentelemetry/resource-detector-aws");
const { defaultResource, detectResources } = require("@opentelemetry/resources");
const { BatchSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");
const { OTLPTraceExporter } = require("bench:exporter");

const provider = new TracerProvider({
  resource: defaultResource().merge(detectResources({ detectors: [awsLambdaDetector] })),
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
context.setGlobalContextManager(new AsyncLocalStorageContextManager());
propagation.setGlobalPropagator(
  new CompositePropagator({
    propagators: [
      new W3CTraceContextPropagator(),
      new W3CBaggagePropagator(),
      new AWSXRayPropagator(),
    ],
  }),
);
trace.setGlobalTracerProvider(provider);
registerInstrumentations({
  tracerProvider: provider,
  instrumentations: [new AwsLambdaInstrumentation(), new AwsInstrumentation()],
});
