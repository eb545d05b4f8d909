import { expect, onTestFinished } from "vitest";
import type { OtlpConfig } from "../../../src/config.ts";
import type { Destination, ExportRequest, SendOutcome } from "../../../src/export/destination.ts";
import { createDestination } from "../../../src/export/destinations.ts";
import { type GrpcCall, type GrpcServer, startGrpcServer } from "./grpc-server.ts";

/** An OTLP destination with the defaults of {@link otlpConfig}, shut down with the test. */
export async function openDestination(
  own: Partial<OtlpConfig> & Pick<OtlpConfig, "endpoint">,
): Promise<Destination> {
  const destination = await createDestination({ kind: "otlp", otlp: otlpConfig(own) });
  onTestFinished(() => destination.shutdown());
  return destination;
}

/** A gRPC server in plain text, closed with the test. */
export async function serveGrpc(
  onCall?: (call: GrpcCall, index: number) => void,
): Promise<GrpcServer & { readonly endpoint: string }> {
  const server = await startGrpcServer(onCall);
  onTestFinished(() => server.close());
  return { ...server, endpoint: `http://127.0.0.1:${server.port}` };
}

/** Sends until it is tried a second time, and gives up then: the outcome's error is that of the first try. */
export async function sendOnce(
  destination: Destination,
  request: ExportRequest,
  server: { readonly connections: readonly unknown[] },
): Promise<SendOutcome> {
  const before = server.connections.length;
  const sending = destination.send(request, Number.POSITIVE_INFINITY);
  await expect.poll(() => server.connections.length).toBeGreaterThan(before + 1);
  destination.shutdown();
  return sending;
}

export function otlpConfig(own: Partial<OtlpConfig> & Pick<OtlpConfig, "endpoint">): OtlpConfig {
  return {
    protocol: "grpc",
    insecure: false,
    headers: {},
    compression: "none",
    timeoutMs: 10_000,
    caFile: undefined,
    clientKeyFile: undefined,
    clientCertificateFile: undefined,
    grpcClient: "lean",
    ...own,
  };
}
