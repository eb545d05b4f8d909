import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type OtlpReceiver,
  type OtlpReceiverOptions,
  startOtlpReceiver,
} from "../../src/dev/otlp-receiver.ts";
import { type Certificate, createAuthority } from "../support/certificates.ts";
import { exportOnce, makeManySpans } from "../support/sample-spans.ts";

const authority = createAuthority();
const server = authority.issue({ usage: "server" });
const client = authority.issue({ usage: "client" });

let directory: string;
const cleanups: (() => Promise<void>)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "coldspan-tls-"));
  trust(authority.cert);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const EXPORTERS = {
  grpc: ({ grpcUrl }: OtlpReceiver) => new GrpcExporter({ url: grpcUrl, timeoutMillis: 3000 }),
  "http/protobuf": ({ httpUrl }: OtlpReceiver) =>
    new ProtoExporter({ url: httpUrl, timeoutMillis: 500 }),
};

describe.each(Object.entries(EXPORTERS))("over %s", (_, makeExporter) => {
  it("TLS with a trusted certificate delivers", async () => {
    const receiver = await start({ tls: server });
    await exportOnce(use(makeExporter(receiver)), makeManySpans(2));
    expect(receiver.spans()).toHaveLength(2);
  });

  it("mTLS delivers with a client certificate of the right CA", async () => {
    const receiver = await start({ tls: { ...server, clientCa: authority.cert } });
    presentClient(client);
    await exportOnce(use(makeExporter(receiver)), makeManySpans(2));
    expect(receiver.spans()).toHaveLength(2);
  });

  it("mTLS refuses a client without a certificate", async () => {
    const receiver = await start({ tls: { ...server, clientCa: authority.cert } });
    await expect(exportOnce(use(makeExporter(receiver)), makeManySpans(2))).rejects.toThrow();
    expect(receiver.requests()).toEqual([]);
  });

  it.each([
    ["another CA", createAuthority().issue({ usage: "server" })],
    ["another host", authority.issue({ usage: "server", hosts: ["collector.example"] })],
    ["the day before yesterday", authority.issue({ usage: "server", expired: true })],
  ])("a certificate of %s keeps every request away", async (_name, certificate) => {
    const receiver = await start({ tls: certificate });
    await expect(exportOnce(use(makeExporter(receiver)), makeManySpans(2))).rejects.toThrow();
    expect(receiver.requests()).toEqual([]);
  });
});

async function start(options: OtlpReceiverOptions): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver(options);
  cleanups.push(() => receiver.close());
  return receiver;
}

function use(exporter: SpanExporter): SpanExporter {
  cleanups.unshift(() => exporter.shutdown());
  return exporter;
}

function trust(ca: string): void {
  vi.stubEnv("OTEL_EXPORTER_OTLP_CERTIFICATE", write("ca.pem", ca));
}

function presentClient({ key, cert }: Certificate): void {
  vi.stubEnv("OTEL_EXPORTER_OTLP_CLIENT_KEY", write("client-key.pem", key));
  vi.stubEnv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", write("client.pem", cert));
}

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}
