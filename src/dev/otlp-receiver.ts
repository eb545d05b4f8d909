/**
 * An OTLP receiver on loopback, for tests and the local runner: gRPC and HTTP, plain, TLS and mTLS.
 * It decodes with the official definitions, refuses what breaks the protocol, and misbehaves on request.
 */
import { createGrpcServer } from "./grpc-endpoint.ts";
import { createHttpServer, TRACES_PATH } from "./http-endpoint.ts";
import { ACCEPT, type Behaviour, BehaviourPlan } from "./otlp-behaviour.ts";
import type { Arrival, Exchange, ReceiverTls } from "./otlp-exchange.ts";
import { type DuplicateSpan, findDuplicates, type ReceivedRequest } from "./received-request.ts";
import type { ReceivedSpan } from "./received-span.ts";
import { openPort, type ReceiverPort } from "./receiver-port.ts";
import { SpanLedger } from "./span-ledger.ts";
import type { GateConnection, Welcome } from "./tcp-gate.ts";

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

/** What arrived. */
export interface ReceiverQuestions {
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
  /** The same for requests, recorded or not; the predicate is also asked when one is answered. */
  waitForRequests(
    wanted: number | ((requests: readonly ReceivedRequest[]) => boolean),
    timeoutMs?: number,
  ): Promise<readonly ReceivedRequest[]>;
}

/** What can be made to go wrong, at any time, on both ports. */
export interface ReceiverFaults {
  /**
   * Treats requests so: the next `requests` of them, after those already queued, or all from now on.
   * Without arguments: a good collector again. What breaks the protocol is refused in any case.
   */
  behave(behaviour?: Behaviour, requests?: number): void;
  /** How new connections are met; open ones stay. Default `relay`. */
  welcome(how: Welcome): void;
  /** Closes connections in order (GOAWAY, FIN); requests under way are answered first. */
  drainConnections(): void;
  /** Closes connections with FIN alone, whatever is under way. */
  endConnections(): void;
  /** Resets connections (RST), whatever is under way. */
  resetConnections(): void;
  /** Reads and sends nothing more on the open connections, PING included; new ones are served. */
  silenceConnections(): void;
  /** TLS only: another certificate for connections from now on. */
  useCertificate(tls: ReceiverTls): void;
  /** Ends all connections and refuses new ones, like a collector that went down. */
  stop(): Promise<void>;
  /** Listens again on the same ports. */
  restart(): Promise<void>;
}

export interface OtlpReceiver extends ReceiverQuestions, ReceiverFaults {
  /** Such as `http://127.0.0.1:40001`, with TLS `https://localhost:40001`. */
  readonly grpcUrl: string;
  /** The full URL of the traces signal, such as `http://127.0.0.1:40002/v1/traces`. */
  readonly httpUrl: string;
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
  const receive = (arrival: Arrival, connection: GateConnection | undefined): Exchange => {
    const behaviour = plan.next(arrival.transport);
    const answered = ledger.add(arrival, behaviour, connection?.index ?? -1);
    return { behaviour, connection, answered };
  };
  const grpc = await openPort(createGrpcServer, { tls, maxMessageBytes: grpcMaxBytes, receive });
  const http = await openPort(createHttpServer, { tls, maxMessageBytes: httpMaxBytes, receive });
  const ports = [grpc, http];
  // TLS certificates and SNI want a name (RFC 6066 §3 has no addresses).
  const base = tls === undefined ? "http://127.0.0.1" : "https://localhost";
  return {
    grpcUrl: `${base}:${grpc.port}`,
    httpUrl: `${base}:${http.port}${TRACES_PATH}`,
    ...questions(ledger),
    ...faults(plan, ports),
    clear: () => ledger.clear(),
    close: () => onAll(ports, (port) => port.close()),
  };
}

function questions(ledger: SpanLedger): ReceiverQuestions {
  return {
    spans: () => [...ledger.spans],
    requests: () => [...ledger.requests],
    duplicates: () => findDuplicates(ledger.spans, ledger.requests),
    waitForSpans: (wanted, timeoutMs) => waitFor(ledger, "spans", wanted, timeoutMs),
    waitForRequests: (wanted, timeoutMs) => waitFor(ledger, "requests", wanted, timeoutMs),
  };
}

function faults(plan: BehaviourPlan, ports: readonly ReceiverPort[]): ReceiverFaults {
  const onEach = (act: (port: ReceiverPort) => void) => () => ports.forEach(act);
  return {
    behave: (behaviour = ACCEPT, requests = Number.POSITIVE_INFINITY) => {
      if (Number.isFinite(requests)) plan.queue(behaviour, requests);
      else plan.stand(behaviour);
    },
    welcome: (how) => onEach((port) => port.welcome(how))(),
    drainConnections: onEach((port) => port.drain()),
    endConnections: onEach((port) => port.cut("end")),
    resetConnections: onEach((port) => port.cut("reset")),
    silenceConnections: onEach((port) => port.cut("silence")),
    useCertificate: (tls) => onEach((port) => port.useCertificate(tls))(),
    stop: () => onAll(ports, (port) => port.stop()),
    restart: () => onAll(ports, (port) => port.restart()),
  };
}

async function onAll(
  ports: readonly ReceiverPort[],
  act: (port: ReceiverPort) => Promise<void>,
): Promise<void> {
  await Promise.all(ports.map(act));
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
