/** Who flushes: coldspan, or the OpenTelemetry SDK's batch processor with its own exporters. */
import { type Tracer, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { flush, init } from "coldspan";
import type { ContestantName } from "./contestant-names.ts";
import type { Addresses } from "./received.ts";

export interface Contestant {
  readonly tracer: Tracer;
  flush(): Promise<void>;
}

/** Longer than any flush here: the default of 2,048 drops the rest. */
const LONGER_QUEUE = 65_536;

/** One per process: coldspan starts once. */
export function createContestant(name: ContestantName, addresses: Addresses): Contestant {
  const { grpcUrl, httpUrl } = addresses;
  switch (name) {
    case "coldspan, gRPC":
      return coldspan({ OTEL_EXPORTER_OTLP_ENDPOINT: grpcUrl });
    case "coldspan, http/protobuf":
      return coldspan({
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl,
      });
    case "batch processor, gRPC":
      return stock(new BatchSpanProcessor({ exporter: new GrpcExporter({ url: grpcUrl }) }));
    case "batch processor, gRPC, longer queue": {
      const exporter = new GrpcExporter({ url: grpcUrl });
      return stock(new BatchSpanProcessor({ exporter, maxQueueSize: LONGER_QUEUE }));
    }
    case "batch processor, http/protobuf":
      return stock(new BatchSpanProcessor({ exporter: new ProtobufExporter({ url: httpUrl }) }));
  }
}

function coldspan(env: Readonly<Record<string, string>>): Contestant {
  Object.assign(process.env, env);
  init();
  return { tracer: trace.getTracer("bench"), flush: () => flush() };
}

function stock(processor: BatchSpanProcessor): Contestant {
  const provider = new TracerProvider({ spanProcessors: [processor] });
  // It rejects when one of its exports fails; the receiver knows what arrived all the same.
  const flush = () =>
    provider.forceFlush().catch((errors: unknown) => console.error(String(errors)));
  return { tracer: provider.getTracer("bench"), flush };
}
