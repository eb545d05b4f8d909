/** Who traces a function, and how: one row of every table. */
import type { Addresses, Transport } from "./received.ts";

/** A folder of `peers/`, or this repository's own build. */
export type Packages =
  | "coldspan"
  | "opentelemetry"
  | "opentelemetry-auto"
  | "adot"
  | "datadog"
  | "xray-sdk"
  | "powertools";

export interface Setup {
  /** As on the command line and in the results. */
  readonly id: string;
  /** As in the tables. */
  readonly name: string;
  /** The module of `functions/` that exports the handler. */
  readonly entry: string;
  /**
   * The CommonJS module of `functions/` that Node requires before the runtime. Where the runtime
   * imports handlers (client 4, Node 24), `opentelemetry-hook.mjs` comes after it.
   */
  readonly preload?: string;
  readonly format: "cjs" | "esm";
  /** What is installed beside the function; absent: nothing. */
  readonly packages?: Packages;
  /** The package that `bench:exporter` stands for. */
  readonly exporter?: string;
  /** Stays in `node_modules` when the function is bundled, as its own documentation asks. */
  readonly external?: readonly string[];
  /** Default `app.handler`. */
  readonly handler?: string;
  readonly env?: (addresses: Addresses) => Readonly<Record<string, string>>;
  /** Where the spans go; absent: there are none. `stdout` is read by a log forwarder. */
  readonly exportsBy?: Transport | "stdout";
  /** What a reader must know to judge the figures. */
  readonly note?: string;
}

const OTLP_GRPC = ({ grpcUrl }: Addresses) => ({
  OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
  OTEL_EXPORTER_OTLP_ENDPOINT: grpcUrl,
});
const OTLP_HTTP = ({ httpUrl }: Addresses) => ({
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl,
});
const XRAY_UDP = ({ xrayDaemon }: Addresses) => ({ AWS_XRAY_DAEMON_ADDRESS: xrayDaemon });

/** What the wrapper script of AWS's layer sets. */
const ADOT_LAYER = (addresses: Addresses) => ({
  ...XRAY_UDP(addresses),
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: "aws-sdk,aws-lambda,http",
  OTEL_METRICS_EXPORTER: "none",
  OTEL_LOGS_EXPORTER: "none",
  OTEL_PROPAGATORS: "baggage,tracecontext,xray",
  OTEL_SERVICE_NAME: "my-function",
  OTEL_AWS_APPLICATION_SIGNALS_ENABLED: "true",
});

const COLDSPAN = { entry: "coldspan.mjs", packages: "coldspan" } as const;
const COLDSPAN_GRPC = {
  ...COLDSPAN,
  env: (addresses: Addresses) => ({
    ...OTLP_GRPC(addresses),
    OTEL_PROPAGATORS: "tracecontext,baggage,xray",
  }),
  exportsBy: "grpc",
} as const;

export const BARE: Setup = { id: "bare", name: "bare", entry: "bare.cjs", format: "cjs" };

export const BARE_ESM: Setup = {
  id: "bare-esm",
  name: "bare, ES module",
  entry: "bare.mjs",
  format: "esm",
};

export const COLDSPAN_SETUPS: readonly Setup[] = [
  { ...COLDSPAN_GRPC, id: "coldspan", name: "coldspan", format: "cjs" },
  { ...COLDSPAN_GRPC, id: "coldspan-esm", name: "coldspan, ES module", format: "esm" },
  {
    ...COLDSPAN_GRPC,
    id: "coldspan-after-return",
    name: "coldspan, after-return",
    format: "cjs",
    env: (addresses) => ({ ...COLDSPAN_GRPC.env(addresses), COLDSPAN_FLUSH: "after-return" }),
  },
  {
    ...COLDSPAN,
    id: "coldspan-http",
    name: "coldspan, http/protobuf",
    format: "cjs",
    env: OTLP_HTTP,
    exportsBy: "http",
  },
  {
    ...COLDSPAN,
    id: "coldspan-xray",
    name: "coldspan, X-Ray UDP",
    format: "cjs",
    env: (addresses) => ({ ...XRAY_UDP(addresses), OTEL_TRACES_EXPORTER: "xray" }),
    exportsBy: "xray-udp",
  },
];

/** Its own loop over records, besides the handler's loop that it watches. */
export const COLDSPAN_RECORDS: Setup = {
  ...COLDSPAN_GRPC,
  id: "coldspan-records",
  name: "coldspan, processRecords",
  entry: "coldspan-records.mjs",
  format: "cjs",
};

/** The hook and the instrumentations must meet in one copy of it. */
const ESM_HOOK = ["import-in-the-middle"];

export const PEER_SETUPS: readonly Setup[] = [
  {
    id: "otel-manual",
    name: "OpenTelemetry SDK by hand, gRPC",
    entry: "opentelemetry-manual.cjs",
    format: "cjs",
    packages: "opentelemetry",
    exporter: "@opentelemetry/exporter-trace-otlp-grpc",
    env: OTLP_GRPC,
    exportsBy: "grpc",
    note: "one span and one flush, no instrumentation, no context extraction",
  },
  {
    id: "otel-manual-http",
    name: "OpenTelemetry SDK by hand, http/protobuf",
    entry: "opentelemetry-manual.cjs",
    format: "cjs",
    packages: "opentelemetry",
    exporter: "@opentelemetry/exporter-trace-otlp-proto",
    env: OTLP_HTTP,
    exportsBy: "http",
    note: "one span and one flush, no instrumentation, no context extraction",
  },
  {
    id: "otel",
    name: "OpenTelemetry packages, gRPC",
    entry: "bare.cjs",
    preload: "opentelemetry.cjs",
    format: "cjs",
    packages: "opentelemetry",
    exporter: "@opentelemetry/exporter-trace-otlp-grpc",
    external: ESM_HOOK,
    env: OTLP_GRPC,
    exportsBy: "grpc",
  },
  {
    id: "otel-http",
    name: "OpenTelemetry packages, http/protobuf",
    entry: "bare.cjs",
    preload: "opentelemetry.cjs",
    format: "cjs",
    packages: "opentelemetry",
    exporter: "@opentelemetry/exporter-trace-otlp-proto",
    external: ESM_HOOK,
    env: OTLP_HTTP,
    exportsBy: "http",
  },
  {
    id: "otel-auto",
    name: "OpenTelemetry auto-instrumentations",
    entry: "bare.cjs",
    preload: "auto-instrumentations.cjs",
    format: "cjs",
    packages: "opentelemetry-auto",
    external: ["@opentelemetry/*", ...ESM_HOOK],
    env: (addresses) => ({
      ...OTLP_GRPC(addresses),
      OTEL_METRICS_EXPORTER: "none",
      OTEL_LOGS_EXPORTER: "none",
      OTEL_NODE_RESOURCE_DETECTORS: "env",
      // Nothing is flushed at the end of an invocation; by default spans would come 5 s later.
      OTEL_BSP_SCHEDULE_DELAY: "1000",
    }),
    exportsBy: "grpc",
    note: "answers before its spans are sent (the SDK gives the instrumentation nothing to flush); no metrics, logs, or detectors that call a network",
  },
  {
    id: "adot",
    name: "ADOT",
    entry: "bare.cjs",
    preload: "adot.cjs",
    format: "cjs",
    packages: "adot",
    external: ["@aws/*", "@opentelemetry/*", ...ESM_HOOK],
    env: ADOT_LAYER,
    exportsBy: "xray-udp",
  },
  {
    id: "adot-lite",
    name: "ADOT, fast start",
    entry: "bare.cjs",
    preload: "adot.cjs",
    format: "cjs",
    packages: "adot",
    external: ["@aws/*", "@opentelemetry/*", ...ESM_HOOK],
    env: (addresses) => ({ ...ADOT_LAYER(addresses), OTEL_AWS_LAMBDA_FAST_START: "true" }),
    exportsBy: "xray-udp",
  },
  {
    id: "datadog",
    name: "Datadog",
    entry: "bare.cjs",
    format: "cjs",
    packages: "datadog",
    handler: "node_modules/datadog-lambda-js/dist/handler.handler",
    env: () => ({ DD_LAMBDA_HANDLER: "app.handler", DD_FLUSH_TO_LOG: "true" }),
    exportsBy: "stdout",
    note: "writes spans to the log for Datadog's forwarder: its extension, a binary, is not on npm",
  },
  {
    id: "xray-sdk",
    name: "AWS X-Ray SDK",
    entry: "xray-sdk.mjs",
    format: "cjs",
    packages: "xray-sdk",
    env: XRAY_UDP,
    exportsBy: "xray-udp",
  },
  {
    id: "powertools",
    name: "Powertools Tracer",
    entry: "powertools.mjs",
    format: "esm",
    packages: "powertools",
    env: XRAY_UDP,
    exportsBy: "xray-udp",
  },
];

export const SETUPS: readonly Setup[] = [BARE, BARE_ESM, ...COLDSPAN_SETUPS, ...PEER_SETUPS];

/** What the figures of a setup are held against: nobody tracing, in the same module format. */
export function baselineOf({ format }: Setup): Setup {
  return format === "esm" ? BARE_ESM : BARE;
}
