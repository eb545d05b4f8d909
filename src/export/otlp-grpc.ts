/** OTLP over gRPC: what a unary export needs of it. */
import type { OtlpConfig } from "../config.ts";
import type { Destination, SendOutcome } from "./destination.ts";
import { createDialer, type Tls } from "./dialer.ts";
import { GRPC_MAX_REQUEST_BYTES, GRPC_PATH, judgeGrpcAnswer } from "./grpc-answer.ts";
import { callUnary, type GrpcLoss } from "./grpc-call.ts";
import type { GrpcEndpoint } from "./grpc-endpoint.ts";
import type { RequestHeaders } from "./headers.ts";
import { Http2Connection } from "./http2-connection.ts";
import { H2_ERROR } from "./http2-frames.ts";
import { Http2Keeper } from "./http2-keeper.ts";
import { encodeTraces } from "./otlp-encoder.ts";
import {
  type Compressor,
  createOtlpTransport,
  type OtlpRequest,
  type OtlpRoute,
} from "./otlp-transport.ts";
import type { Attempt } from "./retry.ts";
import { USER_AGENT } from "./user-agent.ts";
import { within } from "./within.ts";

export function createGrpcDestination(
  config: OtlpConfig,
  endpoint: GrpcEndpoint,
  tls: Tls | undefined,
  compress: Compressor | undefined,
): Destination {
  const dial = createDialer({ ...endpoint, tls, protocol: "h2" });
  const keeper = new Http2Keeper(() => new Http2Connection(dial));
  const route = new GrpcRoute(keeper, endpoint, compress !== undefined);
  return {
    name: `otlp/grpc ${endpoint.socketPath ?? endpoint.authority}`,
    maxRequestBytes: GRPC_MAX_REQUEST_BYTES,
    encode: encodeTraces,
    ...createOtlpTransport(config, route, compress),
  };
}

class GrpcRoute implements OtlpRoute {
  readonly #keeper: Http2Keeper;
  readonly #headers: RequestHeaders;
  readonly #isCompressed: boolean;

  constructor(keeper: Http2Keeper, { authority, secure }: GrpcEndpoint, isCompressed: boolean) {
    this.#keeper = keeper;
    this.#isCompressed = isCompressed;
    this.#headers = {
      ":method": "POST",
      ":scheme": secure ? "https" : "http",
      ":authority": authority,
      ":path": GRPC_PATH,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-accept-encoding": "identity",
      ...(isCompressed ? { "grpc-encoding": "gzip" } : {}),
      "user-agent": USER_AGENT,
    };
  }

  async attempt({ headers, body }: OtlpRequest, timeoutMs: number): Promise<Attempt> {
    const deadline = performance.now() + timeoutMs;
    let connection: Http2Connection;
    try {
      connection = await within(this.#keeper.acquire(), timeoutMs, "connection");
    } catch (error) {
      return { outcome: unavailable((error as Error).message, false) };
    }
    const timeLeftMs = Math.max(1, Math.floor(deadline - performance.now()));
    const request = {
      // Pseudo-header fields come first (RFC 9113 §8.3).
      headers: { ...this.#headers, ...headers, ...this.#headers, "grpc-timeout": `${timeLeftMs}m` },
      message: body,
      isCompressed: this.#isCompressed,
    };
    const result = await callUnary(connection, request, timeLeftMs);
    if (result.kind === "answer") return { outcome: judgeGrpcAnswer(result, headers) };
    return recover(result);
  }

  connect(): void {
    this.#keeper.connect();
  }

  wake(): void {
    this.#keeper.wake();
  }

  shutdown(): void {
    this.#keeper.shutdown();
  }
}

/** No verdict came (gRPC over HTTP/2, "Errors", for what a reset means). */
function recover({ kind, reason, isUnread, resetCode }: GrpcLoss): Attempt {
  if (kind === "deadline") {
    const error = new Error(`DEADLINE_EXCEEDED: ${reason}`);
    return { outcome: { status: "retryable", error, answerLost: !isUnread } };
  }
  if (kind === "connection") return { outcome: unavailable(reason, !isUnread), retryNow: true };
  switch (resetCode) {
    case H2_ERROR.refusedStream:
      return { outcome: unavailable(reason, false), retryNow: true };
    case H2_ERROR.cancel:
    case H2_ERROR.enhanceYourCalm:
      return { outcome: unavailable(reason, !isUnread) };
    default:
      // Final for gRPC, yet also what a proxy sends whose upstream restarts: worth one more try.
      return {
        outcome: { status: "failure", error: new Error(`INTERNAL: ${reason}`) },
        retryNow: true,
      };
  }
}

function unavailable(reason: string, answerLost: boolean): SendOutcome {
  return { status: "retryable", error: new Error(`UNAVAILABLE: ${reason}`), answerLost };
}
