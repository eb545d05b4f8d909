/** The part of an OTLP request's life that gRPC and HTTP share: read, decode, judge. */
import type { Server } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { Behaviour } from "./otlp-behaviour.ts";
import type { WireTraces } from "./otlp-definitions.ts";
import { findViolation } from "./otlp-violations.ts";
import type { ReceiverTransport } from "./received-request.ts";
import type { GateConnection } from "./tcp-gate.ts";

/** A PEM pair, and the CA that client certificates must come from, if they must. */
export interface ReceiverTls {
  readonly key: string;
  readonly cert: string;
  /** Set: clients must present a certificate of this CA (mTLS). */
  readonly clientCa?: string;
}

/** A body read to its end; what exceeds the bound is counted, not kept. */
export interface Body {
  readonly bytes: Buffer;
  readonly wireBytes: number;
}

/** What the receiver itself refuses, whatever behaviour is set. */
export interface Refusal {
  readonly kind: "refusal";
  readonly outcome: "malformed" | "too-large";
  readonly reason: string;
}

export type Judgement = { readonly kind: "traces"; readonly traces: WireTraces } | Refusal;

/** A request that has been read, before it is answered. */
export interface Arrival {
  readonly transport: ReceiverTransport;
  readonly headers: NodeJS.Dict<string | string[]>;
  /** The client's port as the server sees it; tells which connection it is. */
  readonly remotePort: number | undefined;
  readonly wireBytes: number;
  readonly message: Uint8Array;
  readonly compressed: boolean;
  readonly judgement: Judgement;
}

/** How to answer an arrival. */
export interface Exchange {
  readonly behaviour: Behaviour;
  readonly connection: GateConnection | undefined;
  /** To be called when a complete answer was written, with all bytes written on the connection so far. */
  answered(writtenBytes: number): void;
}

/** What an endpoint needs from the receiver around it. */
export interface Endpoint {
  readonly tls: ReceiverTls | undefined;
  /** Largest message before and after decompression. */
  readonly maxMessageBytes: number;
  /** Remembers a request and decides how to treat it. */
  receive(arrival: Arrival): Exchange;
}

/** A server that does not listen yet. */
export interface EndpointServer {
  readonly server: Server;
  /** Closes connections in order: GOAWAY first over HTTP/2, and what is under way is answered. */
  drain(): void;
  /** Drops every connection, those that wait for an answer included. */
  destroy(): void;
}

export function refuse(outcome: Refusal["outcome"], reason: string): Refusal {
  return { kind: "refusal", outcome, reason };
}

/** Lets the behaviour's delay pass; the process need not live for it. */
export async function waitBeforeAnswer({ behaviour }: Exchange): Promise<void> {
  const { delayMs = 0 } = behaviour;
  if (delayMs > 0) await setTimeout(delayMs, undefined, { ref: false });
}

/** Reads a stream to its end, keeping at most `maxBytes`; `undefined` when the peer gave up. */
export async function readBody(stream: Readable, maxBytes: number): Promise<Body | undefined> {
  const chunks: Buffer[] = [];
  let wireBytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (wireBytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - wireBytes));
      wireBytes += chunk.length;
    }
  } catch {
    return undefined;
  }
  return { bytes: Buffer.concat(chunks), wireBytes };
}

/** Decodes and checks; whatever a decoder throws is the sender's fault. */
export function judge(message: Uint8Array, decode: (bytes: Uint8Array) => WireTraces): Judgement {
  try {
    const traces = decode(message);
    const violation = findViolation(traces);
    return violation === undefined ? { kind: "traces", traces } : refuse("malformed", violation);
  } catch (error) {
    return refuse("malformed", `not an ExportTraceServiceRequest: ${String(error)}`);
  }
}

/** Server options for both kinds of endpoint. */
export function toServerTls({ key, cert, clientCa }: ReceiverTls): {
  key: string;
  cert: string;
  ca?: string;
  requestCert: boolean;
  rejectUnauthorized: boolean;
} {
  const isMutual = clientCa !== undefined;
  return {
    key,
    cert,
    ...(isMutual && { ca: clientCa }),
    requestCert: isMutual,
    rejectUnauthorized: isMutual,
  };
}
