/** One unary gRPC call over an open connection: sends one message, settles once with what came back. */
import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
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
import type { Http2Connection } from "./http2-connection.ts";

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

/** Sends the request and waits for its answer; settles within `timeoutMs`, never rejects. */
export function callUnary(
  connection: Http2Connection,
  request: GrpcRequest,
  timeoutMs: number,
): Promise<GrpcResult> {
  return new Promise((resolve) => {
    let stream: ClientHttp2Stream;
    try {
      stream = connection.session.request(request.headers);
    } catch (error) {
      resolve(unsent(error));
      return;
    }
    const answer = new Answer(connection, stream);
    const settle = (result: GrpcResult): void => {
      clearTimeout(timer);
      resolve(result);
      // What is left of an upload or an answer is pointless now; a finished stream is not touched.
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const timer = setTimeout(() => {
      connection.distrust();
      settle(answer.lose("deadline", `No answer within ${Math.round(timeoutMs)} ms`));
    }, timeoutMs);
    answer.onComplete = settle;
    stream.cork();
    stream.write(framePrefix(request.message.length, request.isCompressed));
    stream.end(request.message);
    stream.uncork();
  });
}

/** Node refuses a request before it is sent when a header is not valid or the connection just went. */
function unsent(error: unknown): GrpcResult {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith("ERR_HTTP2_INVALID_SESSION") || code?.startsWith("ERR_HTTP2_GOAWAY")) {
    return { kind: "connection", reason: message, isUnread: true, resetCode: 0 };
  }
  return {
    kind: "answer",
    status: "INVALID_ARGUMENT",
    text: `The request cannot be sent: ${message}`,
    message: undefined,
    details: undefined,
  };
}

/** Gathers what comes back on a stream. */
class Answer {
  onComplete: (result: GrpcResult) => void = () => undefined;
  readonly #connection: Http2Connection;
  readonly #stream: ClientHttp2Stream;
  readonly #chunks: Buffer[] = [];
  #receivedBytes = 0;
  #headers: (IncomingHttpHeaders & IncomingHttpStatusHeader) | undefined;
  #trailers: IncomingHttpHeaders = {};
  #error: Error | undefined;

  constructor(connection: Http2Connection, stream: ClientHttp2Stream) {
    this.#connection = connection;
    this.#stream = stream;
    stream.on("response", (headers) => {
      connection.answered();
      this.#headers = headers;
    });
    stream.on("trailers", (trailers) => {
      this.#trailers = trailers;
    });
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    stream.on("error", (error) => {
      this.#error = error;
    });
    stream.on("end", () => {
      if (this.#grpcStatus !== undefined) this.onComplete(this.#conclude());
    });
    stream.on("close", () => this.onComplete(this.#conclude()));
  }

  lose(kind: GrpcLoss["kind"], reason: string): GrpcLoss {
    const { id, rstCode } = this.#stream;
    const isUnread =
      id === undefined ||
      rstCode === constants.NGHTTP2_REFUSED_STREAM ||
      this.#connection.isUnread(id);
    return { kind, reason, isUnread, resetCode: rstCode };
  }

  get #grpcStatus(): string | undefined {
    return single(this.#trailers["grpc-status"] ?? this.#headers?.["grpc-status"]);
  }

  #receive(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes <= MAX_ANSWER_BYTES) {
      this.#chunks.push(chunk);
      return;
    }
    this.onComplete(
      this.#answer("RESOURCE_EXHAUSTED", `The answer is larger than ${MAX_ANSWER_BYTES} bytes`),
    );
  }

  #conclude(): GrpcResult {
    const status = this.#grpcStatus;
    if (status !== undefined) {
      const text = single(this.#trailers["grpc-message"] ?? this.#headers?.["grpc-message"]);
      return this.#answer(parseGrpcStatus(status), decodeGrpcMessage(text ?? ""));
    }
    const httpStatus = this.#headers?.[":status"];
    const isWhole =
      this.#stream.rstCode === constants.NGHTTP2_NO_ERROR && this.#error === undefined;
    if (httpStatus !== undefined && (isWhole || httpStatus !== 200)) {
      const contentType = this.#headers?.["content-type"] ?? "no content type";
      const text = `HTTP ${httpStatus}, ${contentType}, no grpc-status`;
      const answer = this.#answer(statusOfHttp(httpStatus), text);
      return { ...answer, isGatewayFailure: isGatewayFailure(httpStatus) };
    }
    if (this.#connection.session.destroyed) {
      const failure = this.#error ?? this.#connection.failure;
      return this.lose("connection", failure?.message ?? "The connection was closed");
    }
    return this.lose(
      "reset",
      this.#error?.message ?? `The stream was reset (${this.#stream.rstCode})`,
    );
  }

  #answer(status: GrpcStatus, text: string): GrpcAnswered {
    const details = single(
      this.#trailers["grpc-status-details-bin"] ?? this.#headers?.["grpc-status-details-bin"],
    );
    return {
      kind: "answer",
      status,
      text,
      message: readFrame(Buffer.concat(this.#chunks)),
      details: details === undefined ? undefined : Buffer.from(details, "base64"),
    };
  }
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "object" ? value[0] : value;
}
