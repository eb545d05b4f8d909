/** One HTTP POST: sends a body, settles once with the answer or with what kept it from coming. */
import type { IncomingMessage, RequestOptions } from "node:http";
import { describeSocketError } from "./dialer.ts";
import type { HttpAnswer } from "./http-answer.ts";
import { http } from "./node-http.ts";

export type HttpResult = HttpAnswered | HttpLoss;

export interface HttpAnswered {
  readonly kind: "answer";
  readonly answer: HttpAnswer;
}

export interface HttpLoss {
  /** `oversized`: the answer's headers are too large to be read, and will be the next time. */
  readonly kind: "deadline" | "connection" | "oversized";
  readonly reason: string;
  /** True when the whole request had left: the server may have handled it. */
  readonly wasSent: boolean;
  /** True when the connection had served an earlier request and may have been closed since. */
  readonly wasReused: boolean;
}

/** OTLP, "Response size": a client need not accept more. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Settles within `timeoutMs`, never rejects. A status that came is an answer, even with half a body. */
export function post(
  options: RequestOptions,
  body: Uint8Array,
  timeoutMs: number,
): Promise<HttpResult> {
  return new Promise((resolve) => {
    const request = http.request({ ...options, method: "POST" });
    let wasSent = false;
    let response: PartialResponse | undefined;
    const conclude = (kind: HttpLoss["kind"], reason: string): void => {
      clearTimeout(timer);
      if (response === undefined) {
        resolve({ kind, reason, wasSent, wasReused: request.reusedSocket });
        request.destroy();
        return;
      }
      resolve({ kind: "answer", answer: response.answer() });
      if (!response.isWhole) request.destroy();
    };
    const timer = setTimeout(
      () => conclude("deadline", `No answer within ${Math.round(timeoutMs)} ms`),
      timeoutMs,
    );
    request.on("finish", () => {
      wasSent = true;
    });
    request.on("response", (incoming) => {
      response = new PartialResponse(incoming, () => conclude("connection", ""));
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const kind = error.code === "HPE_HEADER_OVERFLOW" ? "oversized" : "connection";
      conclude(kind, describeSocketError(error));
    });
    request.on("close", () => conclude("connection", "The connection was closed"));
    request.end(body);
  });
}

/** A response as far as it has come. */
class PartialResponse {
  readonly #incoming: IncomingMessage;
  readonly #chunks: Buffer[] = [];
  #receivedBytes = 0;

  constructor(incoming: IncomingMessage, onEnd: () => void) {
    this.#incoming = incoming;
    incoming.on("data", (chunk: Buffer) => {
      this.#receivedBytes += chunk.length;
      if (this.#receivedBytes <= MAX_ANSWER_BYTES) this.#chunks.push(chunk);
      else onEnd();
    });
    incoming.on("end", onEnd);
    incoming.on("error", onEnd);
  }

  get isWhole(): boolean {
    return this.#incoming.complete;
  }

  answer(): HttpAnswer {
    const { statusCode = 0, headers } = this.#incoming;
    return {
      status: statusCode,
      contentType: headers["content-type"] ?? "",
      retryAfter: headers["retry-after"],
      body: Buffer.concat(this.#chunks),
    };
  }
}
