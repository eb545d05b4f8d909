/**
 * An OTLP receiver on loopback, for tests and the local runner: gRPC and HTTP, plain, TLS and mTLS.
 * It decodes with the official definitions, refuses what breaks the protocol, and misbehaves on request.
 */
import { createGrpcServer } from "./grpc-endpoint.ts";
import { createHttpServer, TRACES_PATH } from "./http-endpoint.ts";
import { ACCEPT, type Behaviour, BehaviourPlan } from "./otlp-behaviour.ts";
import type { Arrival, Exchange, ReceiverTls } from "./otlp-exchange.ts";
import { openPort, type ReceiverPort } from "./receiver-port.ts";
import { questions, type ReceiverQuestions } from "./receiver-questions.ts";
import { SpanLedger } from "./span-ledger.ts";
import type { GateConnection, Welcome } from "./tcp-gate.ts";

const MIB = 2 ** 20;
/** gRPC servers' usual receive limit (OTLP specification). */
const GRPC_MAX_BYTES = 4 * MIB;
/** The size OTLP asks HTTP receivers to take. */
const HTTP_MAX_BYTES = 64 * MIB;

export interface OtlpReceiverOptions {
  /** Serves TLS on both ports; absent: plain text. */
  readonly tls?: ReceiverTls;
  /** Largest gRPC message in bytes, compressed and decompressed; default 4 MiB. */
  readonly grpcMaxBytes?: number;
  /** Largest HTTP body in bytes, compressed and decompressed; default 64 MiB. */
  readonly httpMaxBytes?: number;
}

/** What can be made to go wrong, at any time, on both ports. */
interface ReceiverFaults {
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
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** Starts a receiver on two free ports of 127.0.0.1. */
export async function startOtlpReceiver(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const { tls, grpcMaxBytes = GRPC_MAX_BYTES, httpMaxBytes = HTTP_MAX_BYTES } = options;
  const ledger = new SpanLedger();
  const plan = new BehaviourPlan();
  const receive = (arrival: Arrival, connection: GateConnection | undefined): Exchange => {
    const { judgement, transport } = arrival;
    const behaviour = judgement.kind === "traces" ? plan.next(transport) : ACCEPT;
    const markAnswered = ledger.add(arrival, behaviour, connection?.index ?? -1);
    const answered = (writtenBytes: number): void =>
      connection?.whenDelivered(writtenBytes, markAnswered);
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
    close: () => onAll(ports, (port) => port.close()),
  };
}

function faults(plan: BehaviourPlan, ports: readonly ReceiverPort[]): ReceiverFaults {
  const each = (act: (port: ReceiverPort) => void): void => ports.forEach(act);
  return {
    behave: (behaviour = ACCEPT, requests = Number.POSITIVE_INFINITY) => {
      if (Number.isFinite(requests)) plan.queue(behaviour, requests);
      else plan.stand(behaviour);
    },
    welcome: (how) => each((port) => port.welcome(how)),
    drainConnections: () => each((port) => port.drain()),
    endConnections: () => each((port) => port.cut("end")),
    resetConnections: () => each((port) => port.cut("reset")),
    silenceConnections: () => each((port) => port.cut("silence")),
    useCertificate: (tls) => each((port) => port.useCertificate(tls)),
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
