/** What the process was started with, resolved once: every variable and default of coldspan in one place. */
import type { Attributes } from "@opentelemetry/api";
import type { Sampler, SpanExporter } from "@opentelemetry/sdk-trace";

export type PropagatorName =
  | "tracecontext"
  | "baggage"
  | "xray"
  | "xray-lambda"
  | "b3"
  | "b3multi"
  | "none";

export type SamplerName =
  | "always_on"
  | "always_off"
  | "traceidratio"
  | "parentbased_always_on"
  | "parentbased_always_off"
  | "parentbased_traceidratio";

export type OtlpProtocol = "grpc" | "http/protobuf" | "http/json";

/** Where OTLP requests go and how; everything an OTLP transport needs. */
export interface OtlpConfig {
  readonly protocol: OtlpProtocol;
  /** As configured: gRPC accepts `http://`, `https://` and `host:port`; HTTP is the full URL of the signal. */
  readonly endpoint: string;
  /** Only for a gRPC endpoint without a scheme; a scheme wins (spec: exporter.md). */
  readonly insecure: boolean;
  /** Static, or made anew for every export (rotating tokens). Never logged. */
  readonly headers:
    | Readonly<Record<string, string>>
    | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);
  readonly compression: "gzip" | "none";
  /** Upper bound of one export in ms; the flush bound may be shorter. */
  readonly timeoutMs: number;
  /** PEM file paths. */
  readonly caFile: string | undefined;
  readonly clientKeyFile: string | undefined;
  readonly clientCertificateFile: string | undefined;
  /** `lean` is ours on `node:http2`; `grpc-js` is the stock exporter (proxies, or by wish). */
  readonly grpcClient: "lean" | "grpc-js";
}

export type ExporterConfig =
  | { readonly kind: "otlp"; readonly otlp: OtlpConfig }
  | { readonly kind: "xray-udp"; readonly host: string; readonly port: number }
  | { readonly kind: "console" }
  | { readonly kind: "custom"; readonly exporter: SpanExporter };

export type FlushMode = "before-return" | "after-return" | "periodic";

export interface FlushConfig {
  readonly mode: FlushMode;
  /** Longest wait of one flush in ms; the deadline may cut it shorter. */
  readonly timeoutMs: number;
  /** Kept free before the function's own deadline, in ms. */
  readonly deadlineMarginMs: number;
  /** Ms between two periodic sends while nothing else flushes (`OTEL_BSP_SCHEDULE_DELAY`). */
  readonly intervalMs: number;
  /** Spans a request carries at most (`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`). */
  readonly maxChunkSpans: number;
  /** Bounds of the span buffer; the oldest unsent spans are dropped first. */
  readonly maxBufferSpans: number;
  readonly maxBufferBytes: number;
  /** Where unsent spans wait for the next init of the same environment. */
  readonly spoolDirectory: string;
}

export interface SpanLimits {
  readonly attributeValueLengthLimit: number;
  readonly attributeCountLimit: number;
  readonly eventCountLimit: number;
  readonly linkCountLimit: number;
  readonly attributePerEventCountLimit: number;
  readonly attributePerLinkCountLimit: number;
}

export interface Config {
  /** False with `OTEL_SDK_DISABLED=true`: handlers are returned unwrapped. */
  readonly enabled: boolean;
  readonly resourceAttributes: Attributes;
  readonly propagators: readonly PropagatorName[];
  readonly sampler: { readonly name: SamplerName; readonly ratio: number } | Sampler;
  readonly spanLimits: SpanLimits;
  readonly exporters: readonly ExporterConfig[];
  readonly flush: FlushConfig;
  readonly instrumentations: boolean;
}
