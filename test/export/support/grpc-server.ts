/** A gRPC server of one method whose every answer a test writes itself, frame by frame if it likes. */
import { once } from "node:events";
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, ListenOptions, Socket } from "node:net";
import { gunzipSync } from "node:zlib";

export interface GrpcCall {
  readonly headers: IncomingHttpHeaders;
  /** The request's message, decompressed. */
  readonly message: Buffer;
  readonly isCompressed: boolean;
  readonly stream: ServerHttp2Stream;
  /** Number of the connection it came over, from 0. */
  readonly connection: number;
}

export interface GrpcServer {
  readonly port: number;
  /** Every request that was read to its end. */
  readonly calls: readonly GrpcCall[];
  /** Connections ever made. */
  readonly connections: readonly Socket[];
  /** PINGs ever received. */
  readonly pings: { readonly count: number };
  close(): Promise<void>;
}

/** Treats each call with `onCall`; the second argument counts calls from 0. */
export async function startGrpcServer(
  onCall: (call: GrpcCall, index: number) => void = (call) => answerCall(call),
  options: { readonly tls?: SecureServerOptions; readonly listen?: ListenOptions } = {},
): Promise<GrpcServer> {
  const server = options.tls === undefined ? createServer() : createSecureServer(options.tls);
  const calls: GrpcCall[] = [];
  const connections: Socket[] = [];
  const pings = { count: 0 };
  server.on("connection", (socket: Socket) => {
    connections.push(socket);
    socket.on("error", () => undefined);
  });
  server.on("sessionError", () => undefined);
  server.on("session", (session) => {
    session.on("ping", () => pings.count++);
    session.on("error", () => undefined);
  });
  server.on("stream", (stream, headers) => {
    const connection = connections.length - 1;
    const chunks: Buffer[] = [];
    stream.on("error", () => undefined);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const body = Buffer.concat(chunks);
      const isCompressed = body[0] === 1;
      const message = isCompressed ? gunzipSync(body.subarray(5)) : body.subarray(5);
      const call = { headers, message, isCompressed, stream, connection };
      calls.push(call);
      onCall(call, calls.length - 1);
    });
  });
  await listen(server, options.listen);
  const { port = 0 } = (server.address() as AddressInfo | null) ?? {};
  const close = async (): Promise<void> => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, calls, connections, pings, close };
}

async function listen(server: Http2Server, options: ListenOptions | undefined): Promise<void> {
  server.listen(options ?? { port: 0, host: "127.0.0.1" });
  await once(server, "listening");
}

export interface GrpcVerdict {
  readonly status?: number;
  /** As it goes on the wire: percent-encoded. */
  readonly message?: string;
  readonly details?: Uint8Array;
  /** The body's bytes, framing included; default one empty message. */
  readonly body?: Uint8Array;
}

/** Answers as gRPC servers do: headers, one message, trailers with the status. */
export function answerCall({ stream }: GrpcCall, verdict: GrpcVerdict = {}): void {
  if (stream.destroyed) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(toTrailers(verdict)));
  stream.end(verdict.body ?? Buffer.alloc(5));
}

/** Answers with headers alone. */
export function refuseCall({ stream }: GrpcCall, verdict: GrpcVerdict): void {
  const headers = { ":status": 200, "content-type": "application/grpc", ...toTrailers(verdict) };
  stream.respond(headers, { endStream: true });
}

function toTrailers({ status = 0, message, details }: GrpcVerdict): OutgoingHttpHeaders {
  return {
    "grpc-status": String(status),
    ...(message === undefined ? {} : { "grpc-message": message }),
    ...(details === undefined
      ? {}
      : { "grpc-status-details-bin": Buffer.from(details).toString("base64") }),
  };
}

/** A message in gRPC's framing. */
export function frame(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
