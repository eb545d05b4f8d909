/** Where finished spans go: the contract between the span buffer (`sdk/`) and the exporters here. */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";

/** What {@link Destination.send} takes. Only bytes outlive the process: object exporters cannot be spooled. */
export type ExportRequest = Uint8Array | SpanRequest;

/** Spans handed over as they are, for exporter objects that encode and send by themselves. */
export interface SpanRequest {
  readonly spans: readonly ReadableSpan[];
  /** Zero: nothing is encoded, so no byte limit can split it. */
  readonly byteLength: 0;
}

/**
 * What became of one request; assignable to `ExportResponse` of `@opentelemetry/otlp-exporter-base`.
 * `retryable` and `failure` say whose turn it is: keep the spans, or drop and count them.
 */
export type SendOutcome = SentOutcome | RetryableOutcome | FailedOutcome;

/** How often the request went out again within this send although an earlier answer had been lost. */
interface Resent {
  readonly resends?: number;
}

export interface SentOutcome extends Resent {
  readonly status: "success";
  /** The answer's message, as it came. */
  readonly data?: Uint8Array;
  /** Spans the receiver refused for good (OTLP partial success); they are not sent again. */
  readonly rejectedSpans?: number;
}

export interface RetryableOutcome extends Resent {
  readonly status: "retryable";
  /** Ms the server asked to wait before the next try. */
  readonly retryInMillis?: number;
  readonly error: Error;
  /**
   * True when the receiver may have taken the spans although no answer came: a later send may double them.
   * False when it surely did not: never sent, refused unread, or answered with a retryable error
   * other than gRPC's DEADLINE_EXCEEDED or HTTP's 502 and 504, which do not say what became of it.
   */
  readonly answerLost: boolean;
}

export interface FailedOutcome extends Resent {
  readonly status: "failure";
  readonly error: Error;
}

/**
 * One way out, such as one OTLP endpoint or the console.
 * The buffer splits, keeps, bounds and counts; a destination only encodes and sends.
 */
export interface Destination {
  /** For log lines and statistics, such as `otlp/grpc collector:4317`; never holds a secret. */
  readonly name: string;
  /** Largest request in bytes; the buffer splits until an encoded chunk fits. */
  readonly maxRequestBytes: number;
  /** Most spans in one request, where the receiver has such a limit. */
  readonly maxRequestSpans?: number;
  /** One request for these spans. Throws only on spans that can never be encoded. */
  encode(spans: readonly ReadableSpan[]): ExportRequest;
  /**
   * Sends what this destination's `encode` made; settles within `timeoutMs`, once, and never rejects.
   * Retryable failures are tried again within `timeoutMs`, with backoff.
   */
  send(request: ExportRequest, timeoutMs: number): Promise<SendOutcome>;
  /** Opens the connection ahead of the first request, where that pays. Never throws. */
  connect?(): void;
  /** Told that the process may have been frozen since the last send: a dead connection is replaced. */
  wake?(): void;
  /** Closes for good; what is under way may be cut. Never throws. */
  shutdown(): void;
}
