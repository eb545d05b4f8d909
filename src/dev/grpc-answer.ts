/** gRPC over HTTP/2, the answering half: every good and bad way to end a unary call. */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { encodeGrpcMessage, frameGrpcMessage } from "./grpc-message.ts";
import { encodeTracesResponse } from "./otlp-definitions.ts";
import type { Exchange } from "./otlp-exchange.ts";

const STATUS = {
  ok: 0,
  invalidArgument: 3,
  resourceExhausted: 8,
  unimplemented: 12,
} as const;

const HEADERS: OutgoingHttpHeaders = {
  ":status": 200,
  "content-type": "application/grpc",
  "grpc-accept-encoding": "identity,gzip",
};

/** Refuses a call in a trailers-only answer. */
export function refuseGrpc(
  stream: ServerHttp2Stream,
  status: keyof typeof STATUS,
  message: string,
  exchange?: Exchange,
): void {
  if (exchange !== undefined) reportAnswer(stream, exchange);
  const trailers = { "grpc-status": STATUS[status], "grpc-message": encodeGrpcMessage(message) };
  stream.respond({ ...HEADERS, ...trailers }, { endStream: true });
}

/** Answers a call as its behaviour says. */
export function answerGrpc(stream: ServerHttp2Stream, exchange: Exchange): void {
  sendMessage(stream, exchange, encodeTracesResponse());
}

function sendMessage(stream: ServerHttp2Stream, exchange: Exchange, message: Uint8Array): void {
  reportAnswer(stream, exchange);
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": STATUS.ok }));
  stream.end(frameGrpcMessage(message));
}

/** A call counts as answered when its stream closed without a reset, on a connection still there. */
function reportAnswer(stream: ServerHttp2Stream, { connection, answered }: Exchange): void {
  stream.once("close", () => {
    if (stream.rstCode === constants.NGHTTP2_NO_ERROR && connection?.isCut !== true) answered();
  });
}
