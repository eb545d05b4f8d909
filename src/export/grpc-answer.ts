/** What OTLP over gRPC is, whichever client speaks it: its method, its limit, and what its answers mean. */
import type { SendOutcome } from "./destination.ts";
import { type GrpcStatus, isRetryableStatus } from "./grpc-status.ts";
import { type RequestHeaders, redact } from "./headers.ts";
import { succeed } from "./otlp-transport.ts";
import { readRpcStatus } from "./rpc-status.ts";
import { readPartialSuccess } from "./trace-response.ts";

export const GRPC_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** Below the 4 MiB that gRPC servers accept by default, with room for what a proxy counts in. */
export const GRPC_MAX_REQUEST_BYTES = 4_000_000;

/** The server's verdict, or the verdict its answer amounts to. */
export interface GrpcAnswer {
  readonly status: GrpcStatus;
  readonly text: string;
  /** The answer's message; undefined when there is none or it is not readable. */
  readonly message: Uint8Array | undefined;
  /** `grpc-status-details-bin`, decoded. */
  readonly details: Uint8Array | undefined;
  /** Set when a gateway could not hear the server out: it may have taken the request. */
  readonly isGatewayFailure?: boolean;
}

/** OTLP, "Failures" and "Throttling". */
export function judgeGrpcAnswer(answer: GrpcAnswer, headers: RequestHeaders): SendOutcome {
  if (answer.status === "OK") {
    // An unreadable message beside an OK takes nothing away from the OK.
    const message = answer.message ?? new Uint8Array();
    return succeed(message, readPartialSuccess(message), headers);
  }
  const details = answer.details === undefined ? undefined : readRpcStatus(answer.details);
  const text = redact(answer.text || (details?.message ?? ""), headers);
  const error = new Error(`${answer.status}${text === "" ? "" : `: ${text}`}`);
  const retryInMillis = details?.retryInMs;
  if (!isRetryableStatus(answer.status, retryInMillis !== undefined)) {
    return { status: "failure", error };
  }
  const wish = retryInMillis === undefined ? {} : { retryInMillis };
  // gRPC's libraries answer so by themselves while the server's own code runs on and takes the spans.
  const answerLost = answer.status === "DEADLINE_EXCEEDED" || answer.isGatewayFailure === true;
  return { status: "retryable", error, answerLost, ...wish };
}
