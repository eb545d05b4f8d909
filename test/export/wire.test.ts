/** The same spans, sent by coldspan and by the stock exporters, are the same to a receiver. */
import { OTLPTraceExporter as StockGrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as StockJsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as StockProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  createOtlpNetworkExportDelegate,
  ExporterMetrics,
  type IExporterTransport,
  OTLPExporterBase,
} from "@opentelemetry/otlp-exporter-base";
import {
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from "@opentelemetry/otlp-transformer";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { expect, onTestFinished, test } from "vitest";
import { startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { exportOnce, makeManySpans, makeSpans } from "../support/sample-spans.ts";
import { openDestination } from "./support/open-destination.ts";

const TIMEOUT_MS = 5000;

const ways: readonly {
  readonly protocol: "grpc" | "http/protobuf" | "http/json";
  readonly stock: (url: string) => SpanExporter;
}[] = [
  { protocol: "grpc", stock: (url) => new StockGrpcExporter({ url }) },
  { protocol: "http/protobuf", stock: (url) => new StockProtobufExporter({ url }) },
  { protocol: "http/json", stock: (url) => new StockJsonExporter({ url }) },
];

test.each(ways)("over $protocol, with and without gzip", async ({ protocol, stock }) => {
  const receiver = await startOtlpReceiver();
  onTestFinished(() => receiver.close());
  const endpoint = protocol === "grpc" ? receiver.grpcUrl : receiver.httpUrl;
  const spans = [...makeSpans(), ...makeManySpans(100)];
  const exporter = stock(endpoint);
  await exportOnce(exporter, spans);
  await exporter.shutdown();
  const expected = receiver.spans().map(withoutRequest);

  for (const compression of ["none", "gzip"] as const) {
    receiver.clear();
    const destination = await openDestination({ protocol, endpoint, compression });
    const outcome = await destination.send(destination.encode(spans), TIMEOUT_MS);

    expect(outcome.status).toBe("success");
    expect(receiver.spans().map(withoutRequest)).toEqual(expected);
  }
});

test.each(["grpc", "http/protobuf"] as const)(
  "a destination over %s is a transport for OpenTelemetry's own export delegate",
  async (protocol) => {
    const receiver = await startOtlpReceiver();
    onTestFinished(() => receiver.close());
    const endpoint = protocol === "grpc" ? receiver.grpcUrl : receiver.httpUrl;
    const transport: IExporterTransport = await openDestination({ protocol, endpoint });
    const metrics = new ExporterMetrics({
      componentType: "coldspan",
      metricsHelper: TraceExporterMetricsHelper,
      url: endpoint,
      meterProvider: undefined,
      responseAttributesFromError: () => ({}),
    });
    const delegate = createOtlpNetworkExportDelegate(
      { timeoutMillis: TIMEOUT_MS, concurrencyLimit: 30, compression: "none" },
      ProtobufTraceSerializer,
      metrics,
      transport,
    );

    await exportOnce(new OTLPExporterBase(delegate), makeManySpans(10));

    expect(receiver.spans()).toHaveLength(10);
  },
);

function withoutRequest<T extends { readonly requestIndex: number }>(span: T): object {
  const { requestIndex: _, ...rest } = span;
  return rest;
}
