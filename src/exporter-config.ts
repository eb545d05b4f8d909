/** Where spans go: the exporters and the OTLP variables (specification: protocol/exporter.md). */
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import type { ExporterConfig, ExporterName, OtlpConfig, OtlpProtocol } from "./config.ts";
import {
  readBoolean,
  readChoice,
  readChoices,
  readNumber,
  readPairs,
  readString,
  rejectValue,
  type Settings,
} from "./environment.ts";
import type { InitOptions } from "./options.ts";
import { needsGrpcJs } from "./proxy.ts";
import { resolveSigning, xrayRegion } from "./signing-config.ts";

const EXPORTERS: readonly ExporterName[] = ["otlp", "xray", "console"];
const PROTOCOLS: readonly OtlpProtocol[] = ["grpc", "http/protobuf", "http/json"];
const DEFAULT_ENDPOINT = {
  grpc: "http://localhost:4317",
  "http/protobuf": "http://localhost:4318/v1/traces",
  "http/json": "http://localhost:4318/v1/traces",
} as const;
const TRACES_PATH = "/v1/traces";
/** The port of OTLP over HTTP; gRPC's is 4317. */
const HTTP_PORT = "4318";
const DEFAULT_TIMEOUT_MS = 10_000;

const XRAY_DAEMON = { host: "127.0.0.1", port: 2000 } as const;
/** Names that both HTTP and gRPC metadata allow; values without line breaks, so nothing is smuggled in. */
const HEADER_NAME = /^[0-9a-z_.-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

export function resolveExporters(
  settings: Settings,
  options: InitOptions,
): readonly ExporterConfig[] {
  const exporters = readChoices(settings, "OTEL_TRACES_EXPORTER", EXPORTERS, ["otlp"]).map(
    (name): ExporterConfig => {
      if (name === "otlp") return { kind: "otlp", otlp: resolveOtlp(settings, options) };
      if (name === "xray") return { kind: "xray-udp", ...readDaemonAddress(settings) };
      return { kind: "console" };
    },
  );
  for (const exporter of options.exporters ?? []) {
    if (isExporter(exporter)) exporters.push({ kind: "custom", exporter });
    else if (typeof exporter !== "string") {
      settings.warn('init option "exporters" holds something without an export function; ignored.');
    }
  }
  return Object.freeze(exporters.map((exporter) => Object.freeze(exporter)));
}

function isExporter(exporter: ExporterName | SpanExporter): exporter is SpanExporter {
  return typeof exporter === "object" && typeof exporter?.export === "function";
}

function resolveOtlp(settings: Settings, options: InitOptions): OtlpConfig {
  const { protocol, endpoint } = resolveEndpoint(settings);
  const read = (key: string) => readString(settings, variableOf(settings, key));
  const exportTimeoutMs = readNumber(settings, "OTEL_BSP_EXPORT_TIMEOUT", Infinity, { min: 1 });
  const timeoutVariable = variableOf(settings, "TIMEOUT");
  const timeoutMs = readNumber(settings, timeoutVariable, DEFAULT_TIMEOUT_MS, { min: 1 });
  return Object.freeze({
    protocol,
    endpoint,
    insecure: readBoolean(settings, variableOf(settings, "INSECURE")),
    headers: resolveHeaders(settings, options),
    compression: readChoice(
      settings,
      variableOf(settings, "COMPRESSION"),
      ["gzip", "none"],
      "none",
    ),
    timeoutMs: Math.min(timeoutMs, exportTimeoutMs),
    caFile: read("CERTIFICATE"),
    clientKeyFile: read("CLIENT_KEY"),
    clientCertificateFile: read("CLIENT_CERTIFICATE"),
    sigv4: resolveSigning(settings, parseHttpUrl(endpoint)?.hostname),
    grpcClient: protocol === "grpc" ? resolveGrpcClient(settings, endpoint) : "lean",
  });
}

/** The variable that counts: the one for traces when it is set, else the one for all signals. */
function variableOf(settings: Settings, key: string): string {
  const traces = `OTEL_EXPORTER_OTLP_TRACES_${key}`;
  return readString(settings, traces) === undefined ? `OTEL_EXPORTER_OTLP_${key}` : traces;
}

/**
 * The protocol is `grpc` unless it is named, or the endpoint can only be HTTP: an X-Ray host,
 * port 4318, or a path, which gRPC has no use for.
 */
function resolveEndpoint(settings: Settings): Pick<OtlpConfig, "protocol" | "endpoint"> {
  const variable = variableOf(settings, "ENDPOINT");
  const value = readString(settings, variable);
  const url = value === undefined ? undefined : parseHttpUrl(value);
  const named = readChoice(settings, variableOf(settings, "PROTOCOL"), PROTOCOLS, undefined);
  const protocol = resolveProtocol(settings, named, url);
  if (value === undefined) return { protocol, endpoint: DEFAULT_ENDPOINT[protocol] };
  if (protocol === "grpc" && (url || isGrpcTarget(value))) return { protocol, endpoint: value };
  if (protocol !== "grpc" && url) {
    const isBase = !variable.includes("TRACES") && !url.pathname.endsWith(TRACES_PATH);
    if (isBase) url.pathname = url.pathname.replace(/\/*$/, TRACES_PATH);
    return { protocol, endpoint: url.href };
  }
  const example = protocol === "grpc" ? "https://host:4317 or host:4317" : "https://host:4318";
  const endpoint = DEFAULT_ENDPOINT[protocol];
  rejectValue(settings, variable, { value, expected: `like ${example}`, used: endpoint });
  return { protocol, endpoint };
}

function resolveProtocol(
  settings: Settings,
  named: OtlpProtocol | undefined,
  url: URL | undefined,
): OtlpProtocol {
  const isXray = url !== undefined && xrayRegion(url.hostname) !== undefined;
  if (named === "grpc" && isXray) {
    const variable = variableOf(settings, "PROTOCOL");
    const expected = "spoken by X-Ray's OTLP endpoint";
    rejectValue(settings, variable, { value: named, expected, used: "http/protobuf" });
    return "http/protobuf";
  }
  if (named !== undefined) return named;
  const isHttp = url && (isXray || url.port === HTTP_PORT || url.pathname !== "/");
  return isHttp ? "http/protobuf" : "grpc";
}

function parseHttpUrl(value: string): URL | undefined {
  return /^https?:\/\//i.test(value) ? (URL.parse(value) ?? undefined) : undefined;
}

/** `host`, `host:port` or `unix:path`, which gRPC knows besides URLs. */
function isGrpcTarget(value: string): boolean {
  if (value.startsWith("unix:")) return true;
  return !value.includes("/") && URL.canParse(`http://${value}`);
}

function resolveGrpcClient(settings: Settings, endpoint: string): OtlpConfig["grpcClient"] {
  const chosen = readChoice(settings, "COLDSPAN_GRPC_CLIENT", ["lean", "grpc-js"], undefined);
  if (chosen !== undefined) return chosen;
  return !endpoint.startsWith("unix:") && needsGrpcJs(settings, endpoint) ? "grpc-js" : "lean";
}

function resolveHeaders(settings: Settings, options: InitOptions): OtlpConfig["headers"] {
  const given = options.otlp?.headers;
  if (typeof given === "function") return given;
  const variable = variableOf(settings, "HEADERS");
  const label = given ? 'init option "otlp.headers"' : variable;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given ?? readPairs(settings, variable) ?? {})) {
    const key = name.toLowerCase();
    if (HEADER_NAME.test(key) && HEADER_VALUE.test(value)) headers[key] = value;
    else settings.warn(`${label} has a name or value that a header cannot carry; left out.`);
  }
  return Object.freeze(headers);
}

/** `ip:port` or `tcp:ip:port udp:ip:port`, as the X-Ray daemon's own variable is written. */
function readDaemonAddress(settings: Settings): { host: string; port: number } {
  const name = "AWS_XRAY_DAEMON_ADDRESS";
  const value = readString(settings, name);
  if (value === undefined) return XRAY_DAEMON;
  const parts = value.split(/\s+/);
  const udp = parts.find((part) => part.startsWith("udp:"))?.slice("udp:".length);
  const [, host, digits] = /^([^:]+):(\d{1,5})$/.exec(udp ?? value) ?? [];
  const port = Number(digits);
  if (host !== undefined && port > 0 && port < 65_536) return { host, port };
  rejectValue(settings, name, {
    value,
    expected: "ip:port or tcp:ip:port udp:ip:port",
    used: `${XRAY_DAEMON.host}:${XRAY_DAEMON.port}`,
  });
  return XRAY_DAEMON;
}
