/** Who traces a function, and how: what one row of every table is about. */
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

type Environment = (addresses: Addresses) => Readonly<Record<string, string>>;

/**
 * What of the code was compiled while the image was built. `files`: nothing, as with `coldspan/files`
 * alone; `primed`: coldspan and the runtime client, as in `coldspan/nodejs`; `warmed`: the function as
 * well, by `coldspan warm`.
 */
export type ImageState = "files" | "primed" | "warmed";

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
  /** coldspan is in the image, not in the function. */
  readonly image?: ImageState;
  /** The package that `bench:exporter` stands for. */
  readonly exporter?: string;
  /** Stays in `node_modules` when the function is bundled, as its own documentation asks. */
  readonly external?: readonly string[];
  /** Default `app.handler`. */
  readonly handler?: string;
  readonly env?: Environment;
  /** Where the spans go; absent: there are none. `stdout` is read by a log forwarder. */
  readonly exportsBy?: Transport | "stdout";
  /** What a reader must know to judge the figures. */
  readonly note?: string;
}

export const OTLP_GRPC: Environment = ({ grpcUrl }) => ({
  OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
  OTEL_EXPORTER_OTLP_ENDPOINT: grpcUrl,
});
export const OTLP_HTTP: Environment = ({ httpUrl }) => ({
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl,
});
export const XRAY_UDP: Environment = ({ xrayDaemon }) => ({ AWS_XRAY_DAEMON_ADDRESS: xrayDaemon });

export const BARE: Setup = { id: "bare", name: "bare", entry: "bare.cjs", format: "cjs" };

export const BARE_ESM: Setup = {
  id: "bare-esm",
  name: "bare, ES module",
  entry: "bare.mjs",
  format: "esm",
};

/** What the figures of a setup are held against: nobody tracing, in the same module format. */
export function baselineOf({ format }: Setup): Setup {
  return format === "esm" ? BARE_ESM : BARE;
}
