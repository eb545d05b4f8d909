/** OTLP/gRPC on `node:http2`, with prior knowledge (h2c) or over TLS. */
import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { answerGrpc, GRPC_STATUS, refuseGrpc } from "./grpc-answer.ts";
import { checkGrpcHeaders, EXPORT_PATH, PREFIX_BYTES, readGrpcMessage } from "./grpc-message.ts";
import { decodeTraces } from "./otlp-definitions.ts";
import {
  type Arrival,
  type Endpoint,
  type EndpointServer,
  judge,
  readBody,
  refuse,
  toServerTls,
  waitBeforeAnswer,
} from "./otlp-exchange.ts";

/** A server that hands each unary OTLP call to the endpoint and answers as it says. */
export function createGrpcServer(endpoint: Endpoint): EndpointServer {
  const { tls } = endpoint;
  const server = tls === undefined ? createServer() : createSecureServer(toServerTls(tls));
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    // A broken connection or stream is the client's doing; its requests stay marked as not answered.
    session.on("error", () => {});
  });
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on("error", () => {});
    // Never rejects by a client's doing: a rejection is a defect here, and ends the process.
    void serve(stream, headers, endpoint);
  });
  const each = (act: (session: ServerHttp2Session) => void) => () => {
    for (const session of sessions) act(session);
  };
  const drain = each((session) => session.close());
  const destroy = each((session) => session.destroy());
  return { server, drain, destroy };
}

async function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  endpoint: Endpoint,
): Promise<void> {
  if (headers[":path"] !== EXPORT_PATH) {
    refuseGrpc(stream, GRPC_STATUS.unimplemented, `unknown method ${headers[":path"]}`);
    return;
  }
  const remotePort = stream.session?.socket.remotePort;
  const arrival = await readArrival(stream, headers, remotePort, endpoint);
  if (arrival === undefined) return;
  const exchange = endpoint.receive(arrival);
  const { judgement } = arrival;
  if (judgement.kind === "traces") await waitBeforeAnswer(exchange);
  if (stream.destroyed) return;
  if (judgement.kind === "traces") {
    answerGrpc(stream, exchange);
    return;
  }
  const isTooLarge = judgement.outcome === "too-large";
  const status = isTooLarge ? GRPC_STATUS.resourceExhausted : GRPC_STATUS.invalidArgument;
  refuseGrpc(stream, status, judgement.reason, exchange);
}

async function readArrival(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  remotePort: number | undefined,
  { maxMessageBytes, tls }: Endpoint,
): Promise<Arrival | undefined> {
  const body = await readBody(stream, maxMessageBytes + PREFIX_BYTES);
  if (body === undefined) return undefined;
  const facts = { transport: "grpc", headers, remotePort, wireBytes: body.wireBytes } as const;
  const unread = { ...facts, message: new Uint8Array(), compressed: false };
  const problem = checkGrpcHeaders(headers, tls !== undefined);
  if (problem !== undefined) return { ...unread, judgement: refuse("malformed", problem) };
  const encoding = headers["grpc-encoding"]?.toString();
  const message = readGrpcMessage(body, encoding, maxMessageBytes);
  if (message.kind === "refusal") return { ...unread, judgement: message };
  const { bytes, compressed } = message;
  return { ...facts, message: bytes, compressed, judgement: judge(bytes, decodeTraces) };
}
