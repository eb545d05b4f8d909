/** Where encoded spans go: the contract between the span buffer (`sdk/`) and the exporters here. */
import type { ExportResponse } from "@opentelemetry/otlp-exporter-base";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";

/**
 * One way out, such as one OTLP endpoint or the console.
 * The buffer splits, retries, bounds and counts; a destination only encodes and sends.
 */
export interface Destination {
  /** For log lines and statistics, such as `otlp/grpc collector:4317`; never holds a secret. */
  readonly name: string;
  /** Largest request in bytes; the buffer splits until an encoded chunk fits. */
  readonly maxRequestBytes: number;
  /** One request's bytes for these spans. Throws only on spans that can never be encoded. */
  encode(spans: readonly ReadableSpan[]): Uint8Array;
  /**
   * Sends one request; settles within `timeoutMs`, once, and never rejects:
   * `success`, `retryable` (with the server's wait when it named one), or `failure` for good.
   */
  send(request: Uint8Array, timeoutMs: number): Promise<ExportResponse>;
  /** Opens the connection ahead of the first request, where that pays. Never throws. */
  connect?(): void;
  /** Told that the process may have been frozen since the last send: a dead connection is replaced. */
  wake?(): void;
  /** Closes for good; what is under way may be cut. Never throws. */
  shutdown(): void;
}
