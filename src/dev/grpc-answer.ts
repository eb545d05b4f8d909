/** gRPC over HTTP/2, the answering half: every good and bad way to end a unary call. */
import { randomBytes } from "node:crypto";
import {
  constants,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { disturb, GARBAGE_BYTES, HALF_TLS_RECORD } from "./connection-fault.ts";
import { encodeGrpcMessage, frameGrpcMessage } from "./grpc-message.ts";
import { type Behaviour, partialSuccessOf, retryAfterHeader } from "./otlp-behaviour.ts";
import { encodeTracesResponse } from "./otlp-definitions.ts";
import type { Exchange } from "./otlp-exchange.ts";
import { encodeRpcStatus } from "./rpc-status.ts";

export const GRPC_STATUS = {
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
/** Enough of a message's 5-byte prefix to promise one, not enough to say how long it is. */
const HALF_PREFIX: Buffer = Buffer.from([0, 0, 0]);
/** HTTP/2 frame types (RFC 9113 §6) and the bytes before a frame's payload (§4.1). */
const HEADERS_TYPE = 1;
const GOAWAY_TYPE = 7;
const FRAME_HEADER_BYTES = 9;

/** Refuses a call in a trailers-only answer. */
export function refuseGrpc(
  stream: ServerHttp2Stream,
  code: number,
  message: string,
  exchange?: Exchange,
): void {
  if (exchange !== undefined) reportAnswer(stream, exchange);
  stream.respond({ ...HEADERS, ...statusHeaders({ code, message }) }, { endStream: true });
}

/** Answers a call as its behaviour says. */
export function answerGrpc(stream: ServerHttp2Stream, exchange: Exchange): void {
  const { behaviour } = exchange;
  const isSecure = stream.session?.encrypted === true;
  if (disturb(exchange, isSecure ? HALF_TLS_RECORD : encodeHalfHeaders(stream.id ?? 1))) return;
  switch (behaviour.kind) {
    case "grpc-status":
      sendStatus(stream, exchange, behaviour);
      break;
    case "http-status":
      sendHttpStatus(stream, exchange, behaviour);
      break;
    case "reset-stream":
      stream.close(behaviour.code);
      break;
    case "goaway":
      goAway(stream, exchange, behaviour);
      break;
    case "garbage":
      sendBody(stream, exchange, randomBytes(GARBAGE_BYTES));
      break;
    case "half-answer":
      sendBody(stream, exchange, HALF_PREFIX);
      break;
    default:
      sendMessage(stream, exchange, encodeTracesResponse(partialSuccessOf(behaviour)));
  }
}

function sendMessage(stream: ServerHttp2Stream, exchange: Exchange, message: Uint8Array): void {
  sendBody(stream, exchange, frameGrpcMessage(message));
}

/** A success with this body, whatever it is. */
function sendBody(stream: ServerHttp2Stream, exchange: Exchange, body: Uint8Array): void {
  reportAnswer(stream, exchange);
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": GRPC_STATUS.ok }));
  stream.end(body);
}

type Status = Extract<Behaviour, { kind: "grpc-status" }>;

function sendStatus(stream: ServerHttp2Stream, exchange: Exchange, status: Status): void {
  const { placement = "trailers-only" } = status;
  const headers = statusHeaders(status);
  reportAnswer(stream, exchange);
  if (placement === "trailers-only") {
    stream.respond({ ...HEADERS, ...headers }, { endStream: true });
    return;
  }
  if (placement === "headers") {
    stream.respond({ ...HEADERS, ...headers });
    stream.end();
    return;
  }
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(headers));
  stream.end();
}

function statusHeaders(
  status: Pick<Status, "code" | "message" | "retryDelayMs">,
): OutgoingHttpHeaders {
  const { code, message = "", retryDelayMs } = status;
  const headers = { "grpc-status": code, "grpc-message": encodeGrpcMessage(message) };
  if (retryDelayMs === undefined) return headers;
  // gRPC over HTTP/2: binary headers travel in base64, preferably without padding.
  const details = encodeRpcStatus({ code, message, retryDelayMs }).toString("base64");
  return { ...headers, "grpc-status-details-bin": details.replace(/=+$/, "") };
}

function sendHttpStatus(
  stream: ServerHttp2Stream,
  exchange: Exchange,
  behaviour: Extract<Behaviour, { kind: "http-status" }>,
): void {
  reportAnswer(stream, exchange);
  const { status, retryAfter } = behaviour;
  stream.respond({
    ":status": status,
    "content-type": "text/plain",
    ...retryAfterHeader(retryAfter),
  });
  stream.end(`a proxy says ${status}`);
}

function goAway(
  stream: ServerHttp2Stream,
  exchange: Exchange,
  { stage, code = constants.NGHTTP2_NO_ERROR }: Extract<Behaviour, { kind: "goaway" }>,
): void {
  const { id = 1 } = stream;
  const session = stream.session as ServerHttp2Session | undefined;
  const { connection } = exchange;
  if (stage === "before") {
    // Client streams have odd ids.
    excludeStream(exchange, session, id - 2, code);
    return;
  }
  session?.goaway(code, id);
  if (stage === "cut") {
    // The answer to a PING proves that the GOAWAY sent before it has arrived.
    session?.ping(() => connection?.end());
    return;
  }
  sendMessage(stream, exchange, encodeTracesResponse());
  stream.once("close", () => session?.close());
}

/** GOAWAY with a last stream id of 0 is a raw frame, because Node's own means "the latest" by 0. */
function excludeStream(
  { connection }: Exchange,
  session: ServerHttp2Session | undefined,
  lastStreamId: number,
  code: number,
): void {
  if (lastStreamId > 0) {
    session?.goaway(code, lastStreamId);
    return;
  }
  if (session?.encrypted === true) {
    throw new Error("GOAWAY before the first request of a connection works in plain text only");
  }
  connection?.inject(encodeGoAway(0, code));
}

function encodeGoAway(lastStreamId: number, code: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStreamId);
  payload.writeUInt32BE(code, 4);
  return Buffer.concat([encodeFrameHeader(payload.length, GOAWAY_TYPE, 0), payload]);
}

/** HEADERS that promise 256 bytes, of which `:status: 200` comes. */
function encodeHalfHeaders(streamId: number): Buffer {
  return Buffer.concat([encodeFrameHeader(256, HEADERS_TYPE, streamId), Buffer.from([0x88])]);
}

function encodeFrameHeader(length: number, type: number, streamId: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt32BE(streamId, 5);
  return header;
}

/** A call counts as answered when its stream closed without a reset and its answer has got past the gate. */
function reportAnswer(stream: ServerHttp2Stream, { answered }: Exchange): void {
  const { session } = stream;
  stream.once("close", () => {
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    // A session that is gone tells no bytes: then the gate alone says whether it was cut.
    answered(session?.destroyed === false ? session.socket.bytesWritten : 0);
  });
}
