/** Makes a destination from its configuration; each kind loads its own modules, and only those. */
import { diag } from "@opentelemetry/api";
import type { ExporterConfig, OtlpConfig } from "../config.ts";
import type { Destination } from "./destination.ts";
import { loadCompressor } from "./otlp-transport.ts";

/** Below the 4 MiB that gRPC servers accept by default, with room for what a proxy counts in. */
const MAX_REQUEST_BYTES = 4_000_000;

/**
 * Never rejects: an exporter that cannot be made, say for an unreadable certificate, becomes a destination
 * whose every send fails for good, so that the spans are counted as dropped and the function runs on.
 */
export async function createDestination(config: ExporterConfig): Promise<Destination> {
  try {
    return await load(config);
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(String(error));
    diag.error(`coldspan: the ${nameOf(config)} exporter cannot start: ${reason.message}`);
    return brokenDestination(nameOf(config), reason);
  }
}

async function load(config: ExporterConfig): Promise<Destination> {
  switch (config.kind) {
    case "otlp":
      return loadOtlp(config.otlp);
    default:
      throw new Error(`${config.kind} is not available`);
  }
}

async function loadOtlp(config: OtlpConfig): Promise<Destination> {
  const [{ createGrpcTransport }, { parseGrpcEndpoint }, { encodeTraces }, compress] =
    await Promise.all([
      import("./otlp-grpc.ts"),
      import("./grpc-endpoint.ts"),
      import("./otlp-encoder.ts"),
      loadCompressor(config.compression),
    ]);
  const endpoint = parseGrpcEndpoint(config);
  return {
    name: `otlp/grpc ${endpoint.socketPath ?? endpoint.authority}`,
    maxRequestBytes: MAX_REQUEST_BYTES,
    encode: encodeTraces,
    ...createGrpcTransport(config, endpoint, compress),
  };
}

function nameOf(config: ExporterConfig): string {
  return config.kind === "otlp" ? `otlp/${config.otlp.protocol}` : config.kind;
}

function brokenDestination(name: string, error: Error): Destination {
  return {
    name,
    maxRequestBytes: Number.POSITIVE_INFINITY,
    encode: () => new Uint8Array(),
    send: async () => ({ status: "failure", error }),
    shutdown: () => undefined,
  };
}
