/** The ways that coldspan's configuration offers to one and the same Collector. */
import type { OtlpConfig } from "../../../src/config.ts";
import type { Destination } from "../../../src/export/destination.ts";
import { openDestination } from "../../export/support/open-destination.ts";
import type { CertificateAuthority } from "../../support/certificates.ts";
import type { Collector } from "./collector.ts";
import type { CollectorEndpoints } from "./collector-config.ts";
import { identityFiles } from "./temporary.ts";

export interface Way extends Partial<Pick<OtlpConfig, "protocol" | "compression" | "grpcClient">> {
  readonly to: keyof CollectorEndpoints;
}

/** One way per protocol. */
export const PROTOCOLS: readonly [string, Way][] = [
  ["gRPC", { to: "grpc" }],
  ["HTTP with protobuf", { to: "http", protocol: "http/protobuf" }],
  ["HTTP with JSON", { to: "http", protocol: "http/json" }],
];

export const WAYS: readonly [string, Way][] = [
  ...PROTOCOLS,
  ["gRPC, gzip", { to: "grpc", compression: "gzip" }],
  ["gRPC, mutual TLS", { to: "mutualGrpc" }],
  ["gRPC, unix socket", { to: "socket" }],
  ["gRPC by grpc-js, gzip", { to: "grpc", grpcClient: "grpc-js", compression: "gzip" }],
  ["gRPC by grpc-js, mutual TLS", { to: "mutualGrpc", grpcClient: "grpc-js" }],
  ["HTTP with protobuf, gzip", { to: "http", protocol: "http/protobuf", compression: "gzip" }],
  ["HTTP with protobuf, mutual TLS", { to: "mutualHttp", protocol: "http/protobuf" }],
  ["HTTP with JSON, gzip", { to: "http", protocol: "http/json", compression: "gzip" }],
  ["HTTP with JSON, mutual TLS", { to: "mutualHttp", protocol: "http/json" }],
];

/** A destination that goes this way, with a client certificate; gone with the test. */
export function openWay(
  collector: Collector,
  authority: CertificateAuthority,
  { to, ...config }: Way,
): Promise<Destination> {
  const endpoint = collector.endpoints[to];
  return openDestination({ endpoint, ...identityFiles(authority), ...config });
}
