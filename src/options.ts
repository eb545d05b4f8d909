/** What `init()` takes: the same settings as the environment variables, and win over them. */
import type { Attributes } from "@opentelemetry/api";
import type { Sampler, SpanExporter } from "@opentelemetry/sdk-trace";
import type {
  ExporterName,
  FlushMode,
  OtlpHeaders,
  OtlpProtocol,
  PropagatorName,
  SamplerName,
  SpanLimits,
} from "./config.ts";
import type { InboundPolicy, RecordParent, SemconvVersion } from "./trace/settings.ts";

/** Options of `init()`. Each one wins over its variable; a bad value warns and leaves the default. */
export interface InitOptions {
  /** `service.name`. Default: the function's name. `OTEL_SERVICE_NAME`. */
  readonly serviceName?: string;
  /** Attributes of the resource; they win over detected ones. Default: none. `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly resourceAttributes?: Attributes;
  /**
   * Formats of context to read and write; when several are found, the earlier one wins. An empty
   * list propagates nothing. Default: `tracecontext`, `baggage`. `OTEL_PROPAGATORS`.
   */
  readonly propagators?: readonly PropagatorName[];
  /**
   * A named sampler or an object of your own. `ratio` is 0 to 1, for the ratio samplers only.
   * Default: `parentbased_always_on`, 1. `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`.
   */
  readonly sampler?: { readonly name: SamplerName; readonly ratio?: number } | Sampler;
  /**
   * Where spans go: names, exporters of your own, or both. An empty list exports nothing.
   * Default: `otlp`. `OTEL_TRACES_EXPORTER`.
   */
  readonly exporters?: readonly (ExporterName | SpanExporter)[];
  readonly otlp?: OtlpOptions;
  readonly flush?: {
    /**
     * `before-return`: the caller waits for the spans. `after-return`: the response goes first.
     * `periodic`: for processes that are never frozen; always so on Managed Instances.
     * Default: `before-return`. `COLDSPAN_FLUSH`.
     */
    readonly mode?: FlushMode;
    /** Longest wait of one flush, ms. Default: 4000. `COLDSPAN_FLUSH_TIMEOUT_MS`. */
    readonly timeoutMs?: number;
  };
  /** Whole numbers. Default: 128 each, 100,000 links, values of any length. `OTEL_SPAN_*_LIMIT`. */
  readonly spanLimits?: Partial<SpanLimits>;
  /** False leaves libraries untouched, such as the AWS SDK. Default: true. No variable. */
  readonly instrumentations?: boolean;
  /** Parent of a record's span: its message's producer, or the batch. Default: `producer`. `COLDSPAN_RECORD_PARENT`. */
  readonly recordParent?: RecordParent;
  /**
   * What a caller's context may do: one policy, or one per source or trigger kind with `default`.
   * Default: `parent`. `COLDSPAN_INBOUND_CONTEXT`.
   */
  readonly inboundContext?: InboundPolicy | Readonly<Record<string, InboundPolicy>>;
  /** Semantic conventions of attribute names. Default: `1.44`. `OTEL_SEMCONV_STABILITY_OPT_IN=messaging` means `1.45`. */
  readonly semconv?: SemconvVersion;
}

/** The OTLP exporter; each field also has its `OTEL_EXPORTER_OTLP_` and `…_TRACES_` variable. */
export interface OtlpOptions {
  /**
   * `http://`, `https://` or, for gRPC, `host:port`. Over HTTP `/v1/traces` is added unless it is there.
   * Default: `http://localhost:4317`, over HTTP `http://localhost:4318`. `…_ENDPOINT`.
   */
  readonly endpoint?: string;
  /**
   * Default: `grpc`, but `http/protobuf` for an endpoint that can only be HTTP: one with a path,
   * port 4318 or an X-Ray host. `…_PROTOCOL`.
   */
  readonly protocol?: OtlpProtocol;
  /** Sent with every request; a function is asked before each export (rotating tokens). Replaces `…_HEADERS`. */
  readonly headers?: OtlpHeaders | (() => OtlpHeaders | Promise<OtlpHeaders>);
  /** Default: `none`. `…_COMPRESSION`. */
  readonly compression?: "gzip" | "none";
  /** Upper bound of one export, ms. Default: 10000. `…_TIMEOUT`. */
  readonly timeoutMs?: number;
  /** No TLS for a gRPC endpoint without scheme. Default: false. `…_INSECURE`. */
  readonly insecure?: boolean;
  /** Path of the PEM file with the server's CA. Default: Node's own list. `…_CERTIFICATE`. */
  readonly caFile?: string;
  /** Paths of the PEM files for mutual TLS. Default: none. `…_CLIENT_KEY`, `…_CLIENT_CERTIFICATE`. */
  readonly clientKeyFile?: string;
  readonly clientCertificateFile?: string;
}

export interface GivenOption {
  /** What a warning calls it, such as `init option "otlp.protocol"`. */
  readonly label: string;
  /** In the syntax of the variable, so that both are read by the same rules. */
  readonly value: string;
}

/** The options that stand for a variable, by that variable's name. */
export function optionValues(
  options: InitOptions,
  warn: (message: string) => void,
): ReadonlyMap<string, GivenOption> {
  const { otlp, flush } = options;
  const named = options.exporters?.filter((exporter) => typeof exporter !== "object");
  const sampler = isSampler(options.sampler) ? undefined : options.sampler;
  const rows: readonly (readonly [variable: string, option: string, value: unknown])[] = [
    ["OTEL_PROPAGATORS", "propagators", options.propagators],
    ["OTEL_TRACES_SAMPLER", "sampler.name", sampler?.name],
    ["OTEL_TRACES_SAMPLER_ARG", "sampler.ratio", sampler?.ratio],
    ["OTEL_TRACES_EXPORTER", "exporters", named],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "otlp.endpoint", otlp?.endpoint],
    // The traces form would win over it: emptied, and so unset.
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "otlp.endpoint", otlp?.endpoint && ""],
    ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "otlp.protocol", otlp?.protocol],
    ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "otlp.compression", otlp?.compression],
    ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "otlp.timeoutMs", otlp?.timeoutMs],
    ["OTEL_EXPORTER_OTLP_TRACES_INSECURE", "otlp.insecure", otlp?.insecure],
    ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "otlp.caFile", otlp?.caFile],
    ["OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "otlp.clientKeyFile", otlp?.clientKeyFile],
    [
      "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
      "otlp.clientCertificateFile",
      otlp?.clientCertificateFile,
    ],
    ["COLDSPAN_FLUSH", "flush.mode", flush?.mode],
    ["COLDSPAN_FLUSH_TIMEOUT_MS", "flush.timeoutMs", flush?.timeoutMs],
    ["COLDSPAN_RECORD_PARENT", "recordParent", options.recordParent],
    ["COLDSPAN_INBOUND_CONTEXT", "inboundContext", inboundText(options.inboundContext)],
    ...spanLimitRows(options.spanLimits ?? {}),
  ];
  const given = new Map<string, GivenOption>();
  for (const [variable, option, value] of rows) {
    if (value === undefined) continue;
    const text = textOf(value);
    if (text === undefined) warn(`init option "${option}" has a value of the wrong type; ignored.`);
    else given.set(variable, { label: `init option "${option}"`, value: text });
  }
  return given;
}

/** A sampler of the user's own, as opposed to the name of one. */
export function isSampler(sampler: InitOptions["sampler"]): sampler is Sampler {
  return typeof (sampler as Partial<Sampler> | undefined)?.shouldSample === "function";
}

function spanLimitRows(limits: Partial<SpanLimits>): [string, string, unknown][] {
  return [
    [
      "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
      "spanLimits.attributeValueLengthLimit",
      limits.attributeValueLengthLimit,
    ],
    [
      "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
      "spanLimits.attributeCountLimit",
      limits.attributeCountLimit,
    ],
    ["OTEL_SPAN_EVENT_COUNT_LIMIT", "spanLimits.eventCountLimit", limits.eventCountLimit],
    ["OTEL_SPAN_LINK_COUNT_LIMIT", "spanLimits.linkCountLimit", limits.linkCountLimit],
    [
      "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
      "spanLimits.attributePerEventCountLimit",
      limits.attributePerEventCountLimit,
    ],
    [
      "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
      "spanLimits.attributePerLinkCountLimit",
      limits.attributePerLinkCountLimit,
    ],
  ];
}

/** An empty list is a wish for nothing, which the variables write as `none`. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) return undefined;
  return value.length > 0 ? value.join(",") : "none";
}

function inboundText(policies: InitOptions["inboundContext"]): unknown {
  if (typeof policies !== "object" || policies === null) return policies;
  return Object.entries(policies).map(([kind, policy]) => `${kind}=${policy}`);
}
