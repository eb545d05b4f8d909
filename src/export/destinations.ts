/** Makes a destination from its configuration; each kind loads its own modules, and only those. */
import type { SecureContext } from "node:tls";
import { diag } from "@opentelemetry/api";
import type { ExporterConfig, OtlpConfig } from "../config.ts";
import type { Destination } from "./destination.ts";
import type { Tls } from "./dialer.ts";
import { parseGrpcEndpoint } from "./grpc-endpoint.ts";
import { encodeTraces } from "./otlp-encoder.ts";
import type { HttpParts } from "./otlp-http.ts";
import { loadCompressor } from "./otlp-transport.ts";

/**
 * Never rejects: an exporter that cannot be made, say for an unreadable certificate, becomes a destination
 * whose every send fails for good, so that the spans are counted as dropped and the function runs on.
 */
export async function createDestination(config: ExporterConfig): Promise<Destination> {
  try {
    return await load(config);
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(String(error));
    diag.error(`the ${nameOf(config)} exporter cannot start: ${reason.message}`);
    return brokenDestination(nameOf(config), reason);
  }
}

async function load(config: ExporterConfig): Promise<Destination> {
  switch (config.kind) {
    case "otlp":
      return config.otlp.protocol === "grpc" ? loadGrpc(config.otlp) : loadHttp(config.otlp);
    case "xray-udp":
      return (await import("./xray-udp.ts")).createXrayDestination(config.host, config.port);
    case "console":
      return (await import("./console.ts")).createConsoleDestination();
    case "custom":
      return (await import("./span-exporter.ts")).createExporterDestination(config.exporter);
  }
}

async function loadGrpc(config: OtlpConfig): Promise<Destination> {
  const endpoint = parseGrpcEndpoint(config);
  if (config.grpcClient === "grpc-js") {
    const { createGrpcJsDestination } = await import("./grpc-js.ts");
    const tls = endpoint.secure ? await loadTlsFiles(config) : undefined;
    return createGrpcJsDestination(config, endpoint, tls);
  }
  const [{ createGrpcDestination }, tls, compress] = await Promise.all([
    import("./otlp-grpc.ts"),
    endpoint.secure ? loadTls(config) : undefined,
    loadCompressor(config.compression),
  ]);
  return createGrpcDestination(config, endpoint, tls, compress);
}

async function loadHttp(config: OtlpConfig): Promise<Destination> {
  const url = parseHttpEndpoint(config.endpoint);
  const [{ createHttpDestination }, sign, encode, tls, compress] = await Promise.all([
    import("./otlp-http.ts"),
    loadSigner(url, config),
    loadEncoder(config.protocol),
    url.protocol === "https:" ? loadTls(config) : undefined,
    loadCompressor(config.compression),
  ]);
  return createHttpDestination(config, url, { encode, tls, compress, sign });
}

async function loadSigner(url: URL, { sigv4 }: OtlpConfig): Promise<HttpParts["sign"]> {
  return sigv4 === undefined ? undefined : (await import("./sigv4.ts")).createSigner(url, sigv4);
}

async function loadEncoder(protocol: OtlpConfig["protocol"]): Promise<HttpParts["encode"]> {
  return protocol === "http/json"
    ? (await import("./otlp-json.ts")).encodeTracesJson
    : encodeTraces;
}

async function loadTls(config: OtlpConfig): Promise<Tls> {
  const { connect } = process.getBuiltinModule("node:tls");
  return { connect, context: await loadTlsFiles(config) };
}

/** Undefined without files: Node's own roots, no client certificate. */
async function loadTlsFiles(config: OtlpConfig): Promise<SecureContext | undefined> {
  const { caFile, clientKeyFile, clientCertificateFile } = config;
  if (!(caFile || clientKeyFile || clientCertificateFile)) return undefined;
  const { readTlsFiles } = await import("./tls-files.ts");
  return readTlsFiles(config);
}

function parseHttpEndpoint(endpoint: string): URL {
  const url = URL.parse(endpoint);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  // User info may hold a password.
  const text = endpoint.replace(/\/\/[^/]*@/, "//");
  throw new TypeError(`Expected an OTLP/HTTP endpoint as http(s)://host:port/path, got "${text}"`);
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
