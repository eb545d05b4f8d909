/** The main job, with nothing of our own at either end: a stock producer, Lambda's runtime, a real Collector. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createTaskRoot, type TaskRoot } from "../../runtimes/task-root.ts";
import type { ReceivedSpan } from "../../src/dev/received-span.ts";
import { createAuthority } from "../support/certificates.ts";
import { deploy } from "../support/deployed.ts";
import { useCollector } from "./support/collector.ts";
import { identityFiles } from "./support/temporary.ts";
import type { Way } from "./support/way.ts";

const ORDERS = 5;
const EXPIRED_ORDERS = 1;
/** One is sent by a shop that knows of no tracing. */
const ORDERS_WITH_CONTEXT = 4;
/** Per order its own and the charge's; per invocation the invocation, init and the batch. */
const FUNCTION_SPANS = 2 * ORDERS + 3;

const run = promisify(execFile);
const authority = createAuthority();
const collector = useCollector(authority);
const WAYS: readonly [string, Way][] = [
  ["gRPC", { to: "grpc" }],
  ["gRPC, gzip, mutual TLS", { to: "mutualGrpc", compression: "gzip" }],
  ["HTTP with protobuf, gzip", { to: "http", protocol: "http/protobuf", compression: "gzip" }],
  ["HTTP with JSON, mutual TLS", { to: "mutualHttp", protocol: "http/json" }],
];

describe.each(["esm", "cjs"] as const)("a function as %s", (format) => {
  let taskRoot: TaskRoot;

  beforeAll(async () => {
    taskRoot = await createTaskRoot("examples/sqs-orders/handler.ts", format);
  });

  afterAll(() => taskRoot?.remove());

  test.each(WAYS)("over %s, traces a batch of orders from shop to charge", async (name, way) => {
    const event = await produceOrders();
    // Tells the ways apart in the Collector's file.
    const functionName = `${format} ${name}`.replaceAll(/\W+/g, "-");
    const running = await deploy({ node: 24, ric: 4 }, taskRoot, {
      handler: "app.handler",
      functionName,
      env: environment(way),
    });
    onTestFinished(() => running.close());

    const { body } = await running.invoke(event);

    const said = running.stdout + running.stderr;
    expect(JSON.parse(body.toString())?.batchItemFailures, said).toHaveLength(EXPIRED_ORDERS);
    const spans = await collector().waitForSpans(
      FUNCTION_SPANS,
      ({ resource }) => resource["service.name"] === functionName,
    );
    expectJoinedTraces(spans, event, functionName);
  });
});

/** The stock SDK and exporter of OpenTelemetry, in a process of their own. */
async function produceOrders(): Promise<SQSEvent> {
  const { stdout } = await run(process.execPath, ["scripts/demo/producer.ts"], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector().endpoints.grpc },
  });
  return JSON.parse(stdout);
}

function environment({ to, protocol = "grpc", compression = "none" }: Way): Record<string, string> {
  const { caFile, clientKeyFile, clientCertificateFile } = identityFiles(authority);
  return {
    OTEL_PROPAGATORS: "tracecontext,baggage,xray",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector().endpoints[to],
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: compression,
    OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: caFile,
    OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: clientKeyFile,
    OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: clientCertificateFile,
  };
}

function expectJoinedTraces(
  spans: readonly ReceivedSpan[],
  event: SQSEvent,
  functionName: string,
): void {
  expect(spans).toHaveLength(FUNCTION_SPANS);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(FUNCTION_SPANS);
  const producers = new Map(
    collector()
      .spans()
      .filter(({ kind }) => kind === "PRODUCER")
      .map((span) => [span.spanId, span]),
  );
  const invocation = spans.find(({ kind }) => kind === "SERVER");
  const batch = spans.find(
    ({ attributes }) => attributes["messaging.batch.message_count"] === ORDERS,
  );
  expect(invocation).toMatchObject({ name: functionName, parentSpanId: undefined });
  expect(batch).toMatchObject({ kind: "CONSUMER", parentSpanId: invocation?.spanId });
  expect(batch?.links.filter(({ spanId }) => producers.has(spanId))).toHaveLength(
    ORDERS_WITH_CONTEXT,
  );

  for (const { messageId } of event.Records) {
    const record = spans.find(({ attributes }) => attributes["messaging.message.id"] === messageId);
    const charge = spans.find(({ parentSpanId }) => parentSpanId === record?.spanId);
    const producer = producers.get(record?.parentSpanId ?? "");
    expect(charge).toMatchObject({ name: "charge card", traceId: record?.traceId });
    expect(record?.traceId).toBe((producer ?? batch)?.traceId);
  }
  const failed = spans.filter(({ status }) => status.code === "ERROR");
  expect(failed.map(({ attributes }) => attributes["messaging.message.id"])).toEqual([
    event.Records.at(-1)?.messageId,
  ]);
}
