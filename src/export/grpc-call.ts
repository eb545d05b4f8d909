/** One unary gRPC call over an open connection: sends one message, settles once with what came back. */
import { isGatewayFailure } from "./gateway.ts";
import type { GrpcAnswer } from "./grpc-answer.ts";
import { framePrefix, readFrame } from "./grpc-frame.ts";
import {
  decodeGrpcMessage,
  type GrpcStatus,
  parseGrpcStatus,
  statusOfHttp,
} from "./grpc-status.ts";
import type { RequestHeaders } from "./headers.ts";
import type { HeaderFields } from "./hpack.ts";
import type { Http2Connection } from "./http2-connection.ts";
import { H2_ERROR } from "./http2-frames.ts";
import { MAX_HEADER_BYTES } from "./http2-header-reader.ts";
import type { AnswerObserver, Http2Stream, StreamEnding } from "./http2-stream.ts";

export interface GrpcRequest {
  readonly headers: RequestHeaders;
  readonly message: Uint8Array;
  /** True when `message` is compressed as its `grpc-encoding` header says. */
  readonly isCompressed: boolean;
}

export type GrpcResult = GrpcAnswered | GrpcLoss;

interface GrpcAnswered extends GrpcAnswer {
  readonly kind: "answer";
}

/** No verdict came. */
export interface GrpcLoss {
  readonly kind: "deadline" | "reset" | "connection";
  readonly reason: string;
  /** True when the server surely never handled the request. */
  readonly isUnread: boolean;
  /** Of a `reset`: the HTTP/2 error code. */
  readonly resetCode: number;
}

/** OTLP, "Response size": a client need not accept more. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

const HTTP_OK = 200;

/** An exchange that ended well, yet without an answer. */
const COMPLETE = { code: H2_ERROR.noError, isUnread: false };

/** Sends the request and waits for its answer; settles within `timeoutMs`, never rejects. */
export function callUnary(
  connection: Http2Connection,
  { headers, message, isCompressed }: GrpcRequest,
  timeoutMs: number,
): Promise<GrpcResult> {
  const { session } = connection;
  if (!session.isUsable)
    return Promise.resolve(lost("connection", "The connection was closed", true));
  const fields = Object.entries(headers);
  const excess = session.findExcess(fields);
  if (excess !== undefined) return Promise.resolve(verdict("INVALID_ARGUMENT", excess));
  return new Promise((resolve) => {
    const settle = (result: GrpcResult): void => {
      clearTimeout(timer);
      resolve(result);
      // What is left of an upload or an answer is pointless now; a finished stream is not touched.
      stream.cancel();
    };
    const answer = new Answer(settle, () => connection.answered());
    const body = [framePrefix(message.length, isCompressed), message];
    const stream: Http2Stream = session.request(fields, body, answer);
    const timer = setTimeout(() => {
      connection.distrust();
      const isUnread = stream.id === 0;
      settle(lost("deadline", `No answer within ${Math.round(timeoutMs)} ms`, isUnread));
    }, timeoutMs);
  });
}

/** Gathers what comes back on a stream. */
class Answer implements AnswerObserver {
  readonly #complete: (result: GrpcResult) => void;
  readonly #onHead: () => void;
  readonly #chunks: Buffer[] = [];
  #receivedBytes = 0;
  #head: HeaderFields | undefined;
  #trailers: HeaderFields | undefined;

  constructor(complete: (result: GrpcResult) => void, onHead: () => void) {
    this.#complete = complete;
    this.#onHead = onHead;
  }

  headers(fields: HeaderFields): void {
    if (this.#head === undefined) {
      this.#head = fields;
      this.#onHead();
    } else {
      this.#trailers = fields;
    }
  }

  data(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes <= MAX_ANSWER_BYTES) {
      this.#chunks.push(chunk);
      return;
    }
    this.#complete(
      verdict("RESOURCE_EXHAUSTED", `The answer is larger than ${MAX_ANSWER_BYTES} bytes`),
    );
  }

  endedEarly(): void {
    const answered = this.#conclude(true);
    if (answered !== undefined) this.#complete(answered);
  }

  closed(ending: StreamEnding): void {
    if (ending.kind === "headers-too-large") {
      const text = `The answer's headers are larger than ${MAX_HEADER_BYTES} bytes`;
      this.#complete(verdict("RESOURCE_EXHAUSTED", text));
      return;
    }
    // Servers end early answers with a reset that is no error (RFC 9113 §8.1).
    const isWhole =
      ending.kind === "complete" || (ending.kind === "reset" && ending.code === H2_ERROR.noError);
    this.#complete(this.#conclude(isWhole) ?? breakOff(ending));
  }

  /** What the answer says; undefined when it broke off before it said anything. */
  #conclude(isWhole: boolean): GrpcAnswered | undefined {
    const status = this.#field("grpc-status");
    if (status !== undefined) {
      const text = decodeGrpcMessage(this.#field("grpc-message") ?? "");
      const details = this.#field("grpc-status-details-bin");
      return {
        ...verdict(parseGrpcStatus(status), text),
        message: readFrame(Buffer.concat(this.#chunks)),
        details: details === undefined ? undefined : Buffer.from(details, "base64"),
      };
    }
    if (this.#head === undefined) return undefined;
    const httpStatus = Number(this.#head.get(":status"));
    if (!isWhole && httpStatus === HTTP_OK) return undefined;
    const contentType = this.#head.get("content-type") ?? "no content type";
    const text = `HTTP ${httpStatus}, ${contentType}, no grpc-status`;
    const isFromGateway = isGatewayFailure(httpStatus);
    return { ...verdict(statusOfHttp(httpStatus), text), isGatewayFailure: isFromGateway };
  }

  /** An answer without a message has its trailers in its head. */
  #field(name: string): string | undefined {
    return this.#trailers?.get(name) ?? this.#head?.get(name);
  }
}

function breakOff(ending: StreamEnding): GrpcLoss {
  if (ending.kind === "connection") return lost("connection", ending.reason, ending.isUnread);
  const { code, isUnread } = ending.kind === "reset" ? ending : COMPLETE;
  return lost("reset", `The stream was reset (${code})`, isUnread, code);
}

function lost(
  kind: GrpcLoss["kind"],
  reason: string,
  isUnread: boolean,
  resetCode: number = H2_ERROR.noError,
): GrpcLoss {
  return { kind, reason, isUnread, resetCode };
}

function verdict(status: GrpcStatus, text: string): GrpcAnswered {
  return { kind: "answer", status, text, message: undefined, details: undefined };
}
