/** The parts of the configuration that concern the SDK, the flush and the function. */
import type { Attributes } from "@opentelemetry/api";
import type {
  Config,
  FlushConfig,
  LambdaEnvironment,
  LogLevel,
  PropagatorName,
  SamplerName,
  SpanLimits,
} from "./config.ts";
import {
  readChoice,
  readChoices,
  readNumber,
  readPairs,
  readString,
  type Settings,
} from "./environment.ts";
import { type InitOptions, isSampler } from "./options.ts";

/** The specification's limit for attributes and events of a span. */
const DEFAULT_COUNT_LIMIT = 128;
/** SQS delivers up to 10,000 records at once and the batch span links to each: 128 would cut them. */
const DEFAULT_LINK_COUNT_LIMIT = 100_000;

const DEFAULT_FLUSH_TIMEOUT_MS = 4_000;
/** Enough for one round trip with TLS before Lambda ends the function. */
const DEADLINE_MARGIN_MS = 300;
const DEFAULT_INTERVAL_MS = 5_000;
const DEFAULT_CHUNK_SPANS = 512;
const DEFAULT_BUFFER_SPANS = 50_000;
/** The share of a function's memory that spans may take, and where its size is not known the smallest one's. */
const BUFFER_SHARE = 1 / 4;
const SMALLEST_MEMORY_MB = 128;
const MIB = 1024 * 1024;
/** `/tmp` is the one place that Lambda lets write, and it outlives a reset of the environment. */
const DEFAULT_SPOOL_DIRECTORY = "/tmp/coldspan";

const PROPAGATORS: readonly PropagatorName[] = [
  "tracecontext",
  "baggage",
  "xray",
  "xray-lambda",
  "b3",
  "b3multi",
];
const SAMPLERS: readonly SamplerName[] = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
];
const LOG_LEVELS: readonly LogLevel[] = [
  "none",
  "error",
  "warn",
  "info",
  "debug",
  "verbose",
  "all",
];
export function readLambdaEnvironment(settings: Settings): LambdaEnvironment {
  return Object.freeze({
    functionName: readString(settings, "AWS_LAMBDA_FUNCTION_NAME"),
    functionVersion: readString(settings, "AWS_LAMBDA_FUNCTION_VERSION"),
    memorySizeMb: readNumber(settings, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", undefined, { min: 1 }),
    region: readString(settings, "AWS_REGION"),
    logGroupName: readString(settings, "AWS_LAMBDA_LOG_GROUP_NAME"),
    logStreamName: readString(settings, "AWS_LAMBDA_LOG_STREAM_NAME"),
    initializationType: readString(settings, "AWS_LAMBDA_INITIALIZATION_TYPE"),
    runtimeApi: readString(settings, "AWS_LAMBDA_RUNTIME_API"),
    managedInstances: readString(settings, "AWS_LAMBDA_MAX_CONCURRENCY") !== undefined,
    jsonLogs: readString(settings, "AWS_LAMBDA_LOG_FORMAT")?.toUpperCase() === "JSON",
  });
}

/** Default `warn` instead of the specification's `info`: each line is a CloudWatch line paid for. */
export function readLogLevel(settings: Settings): LogLevel {
  return readChoice(settings, "OTEL_LOG_LEVEL", LOG_LEVELS, "warn");
}

/** Lists first, then the variables that name one attribute; options win over all of them. */
export function resolveResourceAttributes(settings: Settings, options: InitOptions): Attributes {
  const attributes: Attributes = { ...readPairs(settings, "OTEL_RESOURCE_ATTRIBUTES") };
  const single = {
    "service.name": readString(settings, "OTEL_SERVICE_NAME"),
    "cx.application.name": readString(settings, "CX_APPLICATION"),
    "cx.subsystem.name": readString(settings, "CX_SUBSYSTEM"),
  };
  for (const [key, value] of Object.entries(single)) {
    if (value !== undefined) attributes[key] = value;
  }
  Object.assign(attributes, options.resourceAttributes);
  if (options.serviceName) attributes["service.name"] = options.serviceName;
  return Object.freeze(attributes);
}

/** `xray-lambda` replaces `xray` (semantic conventions, AWS Lambda page): together they are a mistake. */
export function resolvePropagators(settings: Settings): readonly PropagatorName[] {
  const fallback: readonly PropagatorName[] = ["tracecontext", "baggage"];
  const names = readChoices(settings, "OTEL_PROPAGATORS", PROPAGATORS, fallback);
  if (!names.includes("xray-lambda") || !names.includes("xray")) return Object.freeze(names);
  const used = names.filter((name) => name !== "xray");
  settings.warn(
    `${settings.labelOf("OTEL_PROPAGATORS")} combines xray with xray-lambda, which replaces it: ` +
      `using ${used.join(",")}.`,
  );
  return Object.freeze(used);
}

export function resolveSampler(settings: Settings, options: InitOptions): Config["sampler"] {
  if (isSampler(options.sampler)) return options.sampler;
  const name = readChoice(settings, "OTEL_TRACES_SAMPLER", SAMPLERS, "parentbased_always_on");
  if (!name.endsWith("traceidratio")) return Object.freeze({ name, ratio: 1 });
  const range = { min: 0, max: 1, integer: false };
  return Object.freeze({ name, ratio: readNumber(settings, "OTEL_TRACES_SAMPLER_ARG", 1, range) });
}

export function resolveSpanLimits(settings: Settings): SpanLimits {
  const read = (name: string, fallback: number) => readNumber(settings, name, fallback, { min: 0 });
  const valueLength = read("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", Number.POSITIVE_INFINITY);
  const count = read("OTEL_ATTRIBUTE_COUNT_LIMIT", DEFAULT_COUNT_LIMIT);
  return Object.freeze({
    attributeValueLengthLimit: read("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", valueLength),
    attributeCountLimit: read("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", count),
    eventCountLimit: read("OTEL_SPAN_EVENT_COUNT_LIMIT", DEFAULT_COUNT_LIMIT),
    linkCountLimit: read("OTEL_SPAN_LINK_COUNT_LIMIT", DEFAULT_LINK_COUNT_LIMIT),
    attributePerEventCountLimit: read("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", DEFAULT_COUNT_LIMIT),
    attributePerLinkCountLimit: read("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", DEFAULT_COUNT_LIMIT),
  });
}

export function resolveFlush(settings: Settings, lambda: LambdaEnvironment): FlushConfig {
  const read = (name: string, fallback: number) => readNumber(settings, name, fallback, { min: 1 });
  const mode = readChoice(
    settings,
    "COLDSPAN_FLUSH",
    ["before-return", "after-return", "periodic"],
    "before-return",
  );
  const maxBufferSpans = read("OTEL_BSP_MAX_QUEUE_SIZE", DEFAULT_BUFFER_SPANS);
  return Object.freeze({
    mode: lambda.managedInstances ? "periodic" : mode,
    timeoutMs: read("COLDSPAN_FLUSH_TIMEOUT_MS", DEFAULT_FLUSH_TIMEOUT_MS),
    deadlineMarginMs: DEADLINE_MARGIN_MS,
    intervalMs: read("OTEL_BSP_SCHEDULE_DELAY", DEFAULT_INTERVAL_MS),
    maxChunkSpans: Math.min(
      maxBufferSpans,
      read("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", DEFAULT_CHUNK_SPANS),
    ),
    maxBufferSpans,
    maxBufferBytes: (lambda.memorySizeMb ?? SMALLEST_MEMORY_MB) * MIB * BUFFER_SHARE,
    spoolDirectory: readString(settings, "COLDSPAN_SPOOL_DIRECTORY") ?? DEFAULT_SPOOL_DIRECTORY,
  });
}
