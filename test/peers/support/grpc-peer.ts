/** What the gRPC servers of this suite have in common: a trace service that answers as a request asks it to. */
import { createHash, randomUUID } from "node:crypto";
import type { OtlpHeaders } from "../../../src/config.ts";

export interface GrpcPeerOptions {
  readonly tls?: {
    /** PEM. */
    readonly key: string;
    readonly cert: string;
    /** Set: clients must show a certificate of this CA. */
    readonly clientCa?: string;
  };
  /** Default: a free one. */
  readonly port?: number;
  /** gRPC's own names, such as `grpc.max_connection_age_ms`. */
  readonly channelArgs?: Readonly<Record<string, number>>;
  /** Answers are compressed for clients that take it. */
  readonly compressAnswers?: boolean;
}

/** One request as the server's own library handed it out. */
export interface PeerCall {
  /** Of the message, decompressed. */
  readonly sha256: string;
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Differs by connection. */
  readonly connection: string;
  /** What was left of the client's deadline. */
  readonly timeLeftMs: number;
}

export interface GrpcPeer {
  readonly port: number;
  /** Every call so far, in order of arrival; those that were answered are surely among them. */
  calls(): Promise<readonly PeerCall[]>;
  /** Takes no new requests, lets those under way finish within this time, and is gone. */
  stop(graceMs: number): Promise<void>;
  /** Is gone at once. */
  kill(): Promise<void>;
}

export type StartGrpcPeer = (options?: GrpcPeerOptions) => Promise<GrpcPeer>;

/** How a request wants to be answered; default: OK with an empty message, at once. */
export interface PeerAnswer {
  readonly status?: number;
  readonly text?: string;
  /** `grpc-status-details-bin`. */
  readonly details?: Buffer;
  /** The answer's message. */
  readonly body?: Buffer;
  readonly delayMs?: number;
  /** Only for the first so many requests with these headers. */
  readonly times?: number;
}

export const TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService";
export const ANSWER_HEADER = "peer-answer";

/** {@link PeerAnswer} as it travels. */
export interface WireAnswer extends Omit<PeerAnswer, "details" | "body"> {
  /** Base64. */
  readonly details?: string;
  readonly body?: string;
}

/** Headers that ask a peer for this answer. */
export function asking({ details, body, ...answer }: PeerAnswer): OtlpHeaders {
  const wire: WireAnswer & { readonly id: string } = {
    ...answer,
    ...(details === undefined ? {} : { details: details.toString("base64") }),
    ...(body === undefined ? {} : { body: body.toString("base64") }),
    // Requests with the same headers are counted together, others not.
    id: randomUUID(),
  };
  return { [ANSWER_HEADER]: Buffer.from(JSON.stringify(wire)).toString("base64url") };
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
