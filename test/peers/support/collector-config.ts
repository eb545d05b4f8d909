/** How the Collector is configured: an OTLP receiver of every kind, and one file that all of them fill. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateAuthority } from "../../support/certificates.ts";
import { findFreePort } from "./free-port.ts";

/** How soon the file shows what came in. */
const FLUSH_INTERVAL = "10ms";

/** What the Collector listens on, each in the form that coldspan's configuration takes. */
export interface CollectorEndpoints {
  readonly grpc: string;
  readonly http: string;
  /** With mutual TLS. */
  readonly mutualGrpc: string;
  readonly mutualHttp: string;
  readonly socket: string;
  /** gRPC whose connections are told to go away at the age of 100 ms. */
  readonly agingGrpc: string;
}

export interface CollectorFiles {
  readonly configFile: string;
  /** Where the file exporter writes: one request per line, in JSON. */
  readonly outputFile: string;
  readonly endpoints: CollectorEndpoints;
}

export async function configureCollector(
  directory: string,
  authority: CertificateAuthority,
): Promise<CollectorFiles> {
  const outputFile = join(directory, "spans.jsonl");
  const socket = join(directory, "collector.sock");
  const grpc = await findAddress();
  const http = await findAddress();
  const mutualGrpc = await findAddress();
  const mutualHttp = await findAddress();
  const agingGrpc = await findAddress();
  const { key, cert } = authority.issue({ usage: "server" });
  const tls = {
    key_file: write(directory, "server.key", key),
    cert_file: write(directory, "server.pem", cert),
    client_ca_file: write(directory, "ca.pem", authority.cert),
  };
  const aging = { max_connection_age: "100ms", max_connection_age_grace: "5s" };
  const receivers = {
    otlp: listen({ grpc: { endpoint: grpc }, http: { endpoint: http } }),
    "otlp/mutual": listen({
      grpc: { endpoint: mutualGrpc, tls },
      http: { endpoint: mutualHttp, tls },
    }),
    "otlp/socket": listen({ grpc: { endpoint: socket, transport: "unix" } }),
    "otlp/aging": listen({
      grpc: { endpoint: agingGrpc, keepalive: { server_parameters: aging } },
    }),
  };
  const config = {
    receivers,
    exporters: { file: { path: outputFile, append: true, flush_interval: FLUSH_INTERVAL } },
    service: {
      telemetry: { metrics: { level: "none" } },
      pipelines: { traces: { receivers: Object.keys(receivers), exporters: ["file"] } },
    },
  };
  return {
    // JSON is YAML.
    configFile: write(directory, "config.yaml", JSON.stringify(config)),
    outputFile,
    endpoints: {
      grpc: `http://${grpc}`,
      http: `http://${http}/v1/traces`,
      mutualGrpc: `https://${mutualGrpc}`,
      mutualHttp: `https://${mutualHttp}/v1/traces`,
      socket: `unix:${socket}`,
      agingGrpc: `http://${agingGrpc}`,
    },
  };
}

function listen(protocols: object): object {
  return { protocols };
}

async function findAddress(): Promise<string> {
  return `localhost:${await findFreePort()}`;
}

function write(directory: string, name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}
