/**
 * An OTLP receiver on loopback, for tests and the local runner: gRPC and HTTP, plain, TLS and mTLS.
 * It decodes with the official definitions, refuses what breaks the protocol, and misbehaves on request.
 */
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { createGrpcServer } from "./grpc-endpoint.ts";
import { createHttpServer, TRACES_PATH } from "./http-endpoint.ts";
import { BehaviourPlan } from "./otlp-behaviour.ts";
import type { Arrival, Endpoint, Exchange, ReceiverTls } from "./otlp-exchange.ts";
import { type DuplicateSpan, findDuplicates, type ReceivedRequest } from "./received-request.ts";
import type { ReceivedSpan } from "./received-span.ts";
import { SpanLedger } from "./span-ledger.ts";
import { TcpGate } from "./tcp-gate.ts";

const MIB = 2 ** 20;
/** gRPC servers' usual receive limit (OTLP specification). */
const GRPC_MAX_BYTES = 4 * MIB;
/** The size OTLP asks HTTP receivers to take. */
const HTTP_MAX_BYTES = 64 * MIB;
const WAIT_TIMEOUT_MS = 5000;

export interface OtlpReceiverOptions {
  /** Serves TLS on both ports; absent: plain text. */
  readonly tls?: ReceiverTls;
  /** Largest gRPC message in bytes, compressed and decompressed; default 4 MiB. */
  readonly grpcMaxBytes?: number;
  /** Largest HTTP body in bytes, compressed and decompressed; default 64 MiB. */
  readonly httpMaxBytes?: number;
}

export interface OtlpReceiver {
  /** Such as `http://127.0.0.1:40001`, with TLS `https://localhost:40001`. */
  readonly grpcUrl: string;
  /** The full URL of the traces signal, such as `http://127.0.0.1:40002/v1/traces`. */
  readonly httpUrl: string;
  /** Spans taken as accepted, in order of arrival. */
  spans(): readonly ReceivedSpan[];
  /** Every request that was read to its end, served or refused. */
  requests(): readonly ReceivedRequest[];
  /** Spans that were accepted more than once. */
  duplicates(): readonly DuplicateSpan[];
  /**
   * Resolves with all spans once there are `wanted` of them, or once the predicate holds.
   * Rejects after `timeoutMs` (default 5000) with a list of what did arrive.
   */
  waitForSpans(
    wanted: number | ((spans: readonly ReceivedSpan[]) => boolean),
    timeoutMs?: number,
  ): Promise<readonly ReceivedSpan[]>;
  /** The same for requests, recorded or not. */
  waitForRequests(
    wanted: number | ((requests: readonly ReceivedRequest[]) => boolean),
    timeoutMs?: number,
  ): Promise<readonly ReceivedRequest[]>;
  /** Forgets spans and requests; behaviours stay. */
  clear(): void;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** Starts a receiver on two free ports of 127.0.0.1. */
export async function startOtlpReceiver(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const { tls, grpcMaxBytes = GRPC_MAX_BYTES, httpMaxBytes = HTTP_MAX_BYTES } = options;
  const ledger = new SpanLedger();
  const plan = new BehaviourPlan();
  const grpc = await openPort(
    createGrpcServer,
    { tls, maxMessageBytes: grpcMaxBytes },
    ledger,
    plan,
  );
  const http = await openPort(
    createHttpServer,
    { tls, maxMessageBytes: httpMaxBytes },
    ledger,
    plan,
  );
  // TLS certificates and SNI want a name (RFC 6066 §3 has no addresses).
  const base = tls === undefined ? "http://127.0.0.1" : "https://localhost";
  return {
    grpcUrl: `${base}:${grpc.gate.port}`,
    httpUrl: `${base}:${http.gate.port}${TRACES_PATH}`,
    spans: () => [...ledger.spans],
    requests: () => [...ledger.requests],
    duplicates: () => findDuplicates(ledger.spans, ledger.requests),
    waitForSpans: (wanted, timeoutMs) => waitFor(ledger, "spans", wanted, timeoutMs),
    waitForRequests: (wanted, timeoutMs) => waitFor(ledger, "requests", wanted, timeoutMs),
    clear: () => ledger.clear(),
    close: async () => {
      await Promise.all([grpc.close(), http.close()]);
    },
  };
}

interface Port {
  readonly gate: TcpGate;
  close(): Promise<void>;
}

async function openPort(
  createServer: (endpoint: Endpoint) => Server,
  settings: Pick<Endpoint, "tls" | "maxMessageBytes">,
  ledger: SpanLedger,
  plan: BehaviourPlan,
): Promise<Port> {
  const receive = (arrival: Arrival): Exchange => {
    const connection = gate.find(arrival.remotePort);
    const behaviour = plan.next(arrival.transport);
    const answered = ledger.add(arrival, behaviour, connection?.index ?? -1);
    return { behaviour, connection, answered };
  };
  const server = createServer({ ...settings, receive });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const gate = await TcpGate.open((server.address() as AddressInfo).port);
  const close = async () => {
    await gate.close();
    server.close();
  };
  return { gate, close };
}

async function waitFor<K extends "spans" | "requests">(
  ledger: SpanLedger,
  kind: K,
  wanted: number | ((items: SpanLedger[K]) => boolean),
  timeoutMs: number = WAIT_TIMEOUT_MS,
): Promise<SpanLedger[K]> {
  const isMet =
    typeof wanted === "number" ? () => ledger[kind].length >= wanted : () => wanted(ledger[kind]);
  const description = typeof wanted === "number" ? `${wanted} ${kind}` : `${kind} that fit`;
  await ledger.wait(isMet, description, timeoutMs);
  return [...ledger[kind]] as unknown as SpanLedger[K];
}
