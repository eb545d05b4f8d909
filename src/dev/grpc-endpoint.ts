/** OTLP/gRPC on `node:http2`, with prior knowledge (h2c) or over TLS. */
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { answerGrpc, refuseGrpc } from "./grpc-answer.ts";
import { checkGrpcHeaders, EXPORT_PATH, PREFIX_BYTES, readGrpcMessage } from "./grpc-message.ts";
import { decodeTraces } from "./otlp-definitions.ts";
import {
  type Arrival,
  type Endpoint,
  judge,
  readBody,
  refuse,
  toServerTls,
} from "./otlp-exchange.ts";

/** A server that hands each unary OTLP call to the endpoint and answers as it says. */
export function createGrpcServer(endpoint: Endpoint): Http2Server | Http2SecureServer {
  const { tls } = endpoint;
  const server = tls === undefined ? createServer() : createSecureServer(toServerTls(tls));
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    // A cancelled or reset stream is the client's business: its body never ends, it is no request.
    stream.on("error", () => {});
    void serve(stream, headers, endpoint).catch(() => stream.close());
  });
  return server;
}

async function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  endpoint: Endpoint,
): Promise<void> {
  if (headers[":path"] !== EXPORT_PATH) {
    refuseGrpc(stream, "unimplemented", `unknown method ${headers[":path"]}`);
    return;
  }
  const remotePort = stream.session?.socket.remotePort;
  const arrival = await readArrival(stream, headers, remotePort, endpoint);
  const exchange = endpoint.receive(arrival);
  const { judgement } = arrival;
  if (judgement.kind === "traces") {
    answerGrpc(stream, exchange);
    return;
  }
  const status = judgement.outcome === "too-large" ? "resourceExhausted" : "invalidArgument";
  refuseGrpc(stream, status, judgement.reason, exchange);
}

async function readArrival(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  remotePort: number | undefined,
  { maxMessageBytes, tls }: Endpoint,
): Promise<Arrival> {
  const body = await readBody(stream, maxMessageBytes + PREFIX_BYTES);
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
