/** What the process was started with, resolved once: every variable and default of coldspan in one place. */
import type { Attributes } from "@opentelemetry/api";
import type { Sampler, SpanExporter } from "@opentelemetry/sdk-trace";
import { readBoolean, type Settings } from "./environment.ts";
import { resolveExporters } from "./exporter-config.ts";
import type { ProcessFacts } from "./lambda/runtime-process.ts";
import { type InitOptions, optionValues } from "./options.ts";
import {
  readLambdaEnvironment,
  readLogLevel,
  resolveFlush,
  resolvePropagators,
  resolveResourceAttributes,
  resolveSampler,
  resolveSpanLimits,
} from "./sdk-config.ts";
import type { TraceConfig } from "./trace/settings.ts";
import { readTraceConfig } from "./trace-config.ts";

export type PropagatorName = "tracecontext" | "baggage" | "xray" | "xray-lambda" | "b3" | "b3multi";

export type SamplerName =
  | "always_on"
  | "always_off"
  | "traceidratio"
  | "parentbased_always_on"
  | "parentbased_always_off"
  | "parentbased_traceidratio";

export type ExporterName = "otlp" | "xray" | "console";

export type OtlpProtocol = "grpc" | "http/protobuf" | "http/json";

export type OtlpHeaders = Readonly<Record<string, string>>;

/** Where OTLP requests go and how; everything an OTLP transport needs. */
export interface OtlpConfig {
  readonly protocol: OtlpProtocol;
  /** As configured: gRPC accepts `http://`, `https://` and `host:port`; HTTP is the full URL of the signal. */
  readonly endpoint: string;
  /** Only for a gRPC endpoint without a scheme; a scheme wins (spec: exporter.md). */
  readonly insecure: boolean;
  /** Static, or made anew for every export (rotating tokens). Never logged. */
  readonly headers: OtlpHeaders | (() => OtlpHeaders | Promise<OtlpHeaders>);
  readonly compression: "gzip" | "none";
  /** Upper bound of one export in ms; the flush bound may be shorter. */
  readonly timeoutMs: number;
  /** PEM file paths. */
  readonly caFile: string | undefined;
  readonly clientKeyFile: string | undefined;
  readonly clientCertificateFile: string | undefined;
  /** Set for AWS endpoints over HTTP: each request is signed. */
  readonly sigv4?: SigV4Config | undefined;
  /** `lean` is ours on `node:net`; `grpc-js` is the stock exporter (proxies, or by wish). */
  readonly grpcClient: "lean" | "grpc-js";
}

/** How requests are signed with AWS Signature Version 4. */
export interface SigV4Config {
  /** Such as `eu-west-1`. */
  readonly region: string;
  /** Such as `xray`. */
  readonly service: string;
  /** Called for each request. Never logged. */
  readonly credentials: () => AwsCredentials | Promise<AwsCredentials>;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
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
  /** Of memory: a quarter of the function's. */
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

/** What Lambda says about the function; all of it is absent outside Lambda. */
export interface LambdaEnvironment {
  readonly functionName: string | undefined;
  /** `$LATEST` or a number. */
  readonly functionVersion: string | undefined;
  readonly memorySizeMb: number | undefined;
  readonly region: string | undefined;
  readonly logGroupName: string | undefined;
  readonly logStreamName: string | undefined;
  /** `on-demand`, `provisioned-concurrency`, `snap-start` or `lambda-managed-instances`. */
  readonly initializationType: string | undefined;
  /** `host:port` of the Runtime and Extensions API. */
  readonly runtimeApi: string | undefined;
  /** Several invocations at once, and no freeze between them. */
  readonly managedInstances: boolean;
  /** Log lines are JSON objects (`AWS_LAMBDA_LOG_FORMAT`). */
  readonly jsonLogs: boolean;
}

export type LogLevel = "none" | "error" | "warn" | "info" | "debug" | "verbose" | "all";

export interface Config {
  /** False with `OTEL_SDK_DISABLED=true`: handlers are returned unwrapped. */
  readonly enabled: boolean;
  readonly logLevel: LogLevel;
  /** What the user said about the resource; it wins over what is detected. */
  readonly resourceAttributes: Attributes;
  /** Without repetition, in order of precedence; empty for `none`. */
  readonly propagators: readonly PropagatorName[];
  readonly sampler: { readonly name: SamplerName; readonly ratio: number } | Sampler;
  readonly spanLimits: SpanLimits;
  readonly exporters: readonly ExporterConfig[];
  readonly flush: FlushConfig;
  readonly instrumentations: boolean;
  readonly trace: TraceConfig;
  readonly lambda: LambdaEnvironment;
}

export interface Resolved {
  readonly config: Config;
  /** One line per value that could not be used; none holds a secret. */
  readonly warnings: readonly string[];
}

/**
 * Reads the environment and the options; options win. Never throws: a value that cannot be used is
 * replaced by its default and named in a warning.
 */
export function resolveConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: InitOptions = {},
): Resolved {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const given = optionValues(options, warn);
  const settings: Settings = {
    valueOf: (name) => given.get(name)?.value ?? env[name],
    labelOf: (name) => given.get(name)?.label ?? name,
    warn,
  };
  const lambda = readLambdaEnvironment(settings);
  const config: Config = {
    enabled: !readBoolean(settings, "OTEL_SDK_DISABLED"),
    logLevel: readLogLevel(settings),
    resourceAttributes: resolveResourceAttributes(settings, options),
    propagators: resolvePropagators(settings),
    sampler: resolveSampler(settings, options),
    spanLimits: resolveSpanLimits(settings),
    exporters: resolveExporters(settings, options),
    flush: resolveFlush(settings, lambda),
    instrumentations: options.instrumentations !== false,
    trace: readTraceConfig(settings, options),
    lambda,
  };
  if (settings.valueOf("OTEL_CONFIG_FILE")) {
    warn("OTEL_CONFIG_FILE is not read by coldspan; set variables or init options instead.");
  }
  return Object.freeze({ config: Object.freeze(config), warnings: Object.freeze(warnings) });
}

/** Lambda's trace header of the running invocation; it changes with each one. Unset on Managed Instances. */
export function readTraceHeader(): string | undefined {
  return process.env._X_AMZN_TRACE_ID || undefined;
}

/** This process and its live environment. */
export function thisProcess(): ProcessFacts & { readonly env: NodeJS.ProcessEnv } {
  return { argv: process.argv, env: process.env };
}
