/**
 * A web shop traced with plain OpenTelemetry: checks out five orders, each sent to a queue with
 * whatever context its sender knows. Prints the SQS event that Lambda would deliver.
 */
import { randomUUID } from "node:crypto";
import { context, propagation, type Span, SpanKind } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { AWSXRayPropagator } from "@opentelemetry/propagator-aws-xray";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { SQSMessageAttributes, SQSRecord } from "aws-lambda";

const QUEUE_ARN = "arn:aws:sqs:eu-central-1:123456789012:orders";

type ContextCarrier = "w3c" | "x-ray" | "none";

const ORDERS: readonly { id: string; card: string; sentBy: ContextCarrier }[] = [
  { id: "A-1001", card: "valid", sentBy: "w3c" },
  { id: "A-1002", card: "valid", sentBy: "w3c" },
  { id: "A-1003", card: "valid", sentBy: "x-ray" },
  { id: "A-1004", card: "valid", sentBy: "none" },
  { id: "A-1005", card: "expired", sentBy: "w3c" },
];

const provider = new TracerProvider({
  resource: resourceFromAttributes({ "service.name": "web-shop" }),
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
context.setGlobalContextManager(new AsyncLocalStorageContextManager());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
const tracer = provider.getTracer("web-shop");

function checkOut(order: (typeof ORDERS)[number]): SQSRecord {
  return tracer.startActiveSpan("POST /checkout", { kind: SpanKind.SERVER }, (request) => {
    const record = tracer.startActiveSpan(
      "send orders",
      {
        kind: SpanKind.PRODUCER,
        attributes: { "messaging.system": "aws_sqs", "messaging.destination.name": "orders" },
      },
      (span) => end(span, sendMessage(order)),
    );
    return end(request, record);
  });
}

function end<T>(span: Span, result: T): T {
  span.end();
  return result;
}

/** The record as SQS hands it to Lambda, with the sender's context where the sender put it. */
function sendMessage({ id, card, sentBy }: (typeof ORDERS)[number]): SQSRecord {
  const carrier: Record<string, string> = {};
  const propagator = sentBy === "x-ray" ? new AWSXRayPropagator() : new W3CTraceContextPropagator();
  if (sentBy !== "none") {
    propagator.inject(context.active(), carrier, {
      set: (target: Record<string, string>, key, value) => {
        target[key] = value;
      },
    });
  }
  const traceHeader = carrier["X-Amzn-Trace-Id"] ?? carrier["x-amzn-trace-id"];
  const sentAtMs = String(Date.now());
  return {
    messageId: randomUUID(),
    receiptHandle: randomUUID(),
    body: JSON.stringify({ id, card }),
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: sentAtMs,
      SenderId: "AIDAIENQZJOLO23YVJ4VO",
      ApproximateFirstReceiveTimestamp: sentAtMs,
      ...(traceHeader === undefined ? {} : { AWSTraceHeader: traceHeader }),
    },
    messageAttributes: sentBy === "w3c" ? messageAttributes(carrier) : {},
    md5OfBody: "7b270e59b47ff90a553787216d55d91d",
    eventSource: "aws:sqs",
    eventSourceARN: QUEUE_ARN,
    awsRegion: "eu-central-1",
  };
}

function messageAttributes(carrier: Readonly<Record<string, string>>): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(carrier).map(([key, stringValue]) => [
      key,
      { stringValue, stringListValues: [], binaryListValues: [], dataType: "String" },
    ]),
  );
}

const event = { Records: ORDERS.map(checkOut) };
await provider.forceFlush();
await provider.shutdown();
console.log(JSON.stringify(event));
