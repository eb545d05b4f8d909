/** Every environment variable that coldspan reads: the source of the README's table. */

export interface Variable {
  readonly name: string;
  /** As it would be written; empty when unset means something that no value can say. */
  readonly default: string;
  readonly meaning: string;
}

/** `…_X` with its traces form, which wins. */
function otlp(key: string, defaultValue: string, meaning: string): readonly Variable[] {
  return [
    { name: `OTEL_EXPORTER_OTLP_${key}`, default: defaultValue, meaning },
    { name: `OTEL_EXPORTER_OTLP_TRACES_${key}`, default: "", meaning: `${meaning} Wins.` },
  ];
}

function variable(name: string, defaultValue: string, meaning: string): Variable {
  return { name, default: defaultValue, meaning };
}

/** What a user sets. */
export const VARIABLES: readonly Variable[] = [
  variable("OTEL_SDK_DISABLED", "false", "`true`: handlers run untraced, at no cost."),
  variable("OTEL_SERVICE_NAME", "", "`service.name`. Unset: the function's name."),
  variable("OTEL_RESOURCE_ATTRIBUTES", "", "Resource attributes, `key=value,…`, percent-encoded."),
  variable("CX_APPLICATION", "", "Coralogix: `cx.application.name` on the resource."),
  variable("CX_SUBSYSTEM", "", "Coralogix: `cx.subsystem.name` on the resource."),
  variable(
    "OTEL_LOG_LEVEL",
    "warn",
    "Of coldspan's own lines: none, error, warn, info, debug, all.",
  ),
  variable("OTEL_CONFIG_FILE", "", "Not supported; a warning says so."),
  variable(
    "OTEL_PROPAGATORS",
    "tracecontext,baggage",
    "Context formats, the first found wins: tracecontext, baggage, xray, xray-lambda, b3, b3multi, or none.",
  ),
  variable(
    "OTEL_TRACES_SAMPLER",
    "parentbased_always_on",
    "always_on, always_off, traceidratio, or parentbased_ with one of them.",
  ),
  variable("OTEL_TRACES_SAMPLER_ARG", "1", "Ratio of sampled traces, 0 to 1."),
  variable(
    "OTEL_TRACES_EXPORTER",
    "otlp",
    "otlp, xray, console, or several as in `otlp,console`; or none.",
  ),
  ...otlp(
    "PROTOCOL",
    "",
    "grpc, http/protobuf or http/json. Unset: grpc unless the endpoint can only be HTTP.",
  ),
  ...otlp("ENDPOINT", "", "Unset: `http://localhost:4317`, over HTTP `http://localhost:4318`."),
  ...otlp("INSECURE", "false", "No TLS for a gRPC endpoint without scheme."),
  ...otlp("CERTIFICATE", "", "PEM file of the server's CA."),
  ...otlp("CLIENT_KEY", "", "PEM file of the client's key (mutual TLS)."),
  ...otlp("CLIENT_CERTIFICATE", "", "PEM file of the client's certificate (mutual TLS)."),
  ...otlp(
    "HEADERS",
    "",
    "Sent with every export, `key=value,…`, percent-encoded: API keys go here.",
  ),
  ...otlp("COMPRESSION", "none", "gzip or none."),
  ...otlp("TIMEOUT", "10000", "Longest wait of one export, ms."),
  variable(
    "COLDSPAN_GRPC_CLIENT",
    "",
    "lean or grpc-js. Unset: lean unless a proxy is in the way.",
  ),
  variable("grpc_proxy", "", "Proxy of gRPC: chooses grpc-js."),
  variable("https_proxy", "", "Like `grpc_proxy`, when that is unset."),
  variable("http_proxy", "", "Like `grpc_proxy`, when the other two are unset."),
  variable("HTTPS_PROXY", "", "No effect on gRPC; a warning says so."),
  variable("HTTP_PROXY", "", "No effect on gRPC; a warning says so."),
  variable("no_grpc_proxy", "", "Hosts to reach without a proxy."),
  variable("no_proxy", "", "Like `no_grpc_proxy`, when that is unset."),
  variable("NO_PROXY", "", "Like `no_proxy`, when that is unset."),
  variable(
    "AWS_XRAY_DAEMON_ADDRESS",
    "127.0.0.1:2000",
    "Where the xray exporter sends; set by Lambda.",
  ),
  variable("COLDSPAN_FLUSH", "before-return", "before-return, after-return or periodic."),
  variable("COLDSPAN_FLUSH_TIMEOUT_MS", "4000", "Longest wait of one flush, ms."),
  variable(
    "COLDSPAN_SPOOL_DIRECTORY",
    "/tmp/coldspan",
    "Where unsent spans outlive a crash; never a directory that environments share.",
  ),
  variable("OTEL_BSP_SCHEDULE_DELAY", "5000", "Between two periodic sends, ms."),
  variable("OTEL_BSP_EXPORT_TIMEOUT", "", "Upper bound of the OTLP timeout, ms."),
  variable("OTEL_BSP_MAX_QUEUE_SIZE", "50000", "Spans kept at most until they are sent."),
  variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512", "Spans per request at most."),
  variable("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "", "Longest attribute value. Unset: any length."),
  variable("OTEL_ATTRIBUTE_COUNT_LIMIT", "128", "Attributes per span."),
  variable("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "", "Wins over the general one."),
  variable("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "", "Wins over the general one."),
  variable("OTEL_SPAN_EVENT_COUNT_LIMIT", "128", "Events per span."),
  variable(
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "100000",
    "Links per span: a batch links to every message.",
  ),
  variable("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "128", "Attributes per event."),
  variable("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "128", "Attributes per link."),
  variable("COLDSPAN_RECORD_PARENT", "producer", "Parent of record spans: producer or batch."),
  variable(
    "COLDSPAN_INBOUND_CONTEXT",
    "parent",
    "What a caller's context may do: parent, link or ignore; per kind as in `http=link,sqs=parent`.",
  ),
  variable(
    "OTEL_SEMCONV_STABILITY_OPT_IN",
    "",
    "`messaging` or `faas`: attribute names of semconv 1.45.",
  ),
];

/** What Lambda sets and coldspan reads. */
export const LAMBDA_VARIABLES: readonly string[] = [
  "AWS_LAMBDA_FUNCTION_NAME",
  "AWS_LAMBDA_FUNCTION_VERSION",
  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
  "AWS_REGION",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_LAMBDA_LOG_FORMAT",
  "AWS_LAMBDA_INITIALIZATION_TYPE",
  "AWS_LAMBDA_RUNTIME_API",
  "AWS_LAMBDA_MAX_CONCURRENCY",
];
