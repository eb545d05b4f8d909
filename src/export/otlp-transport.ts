/** What OTLP's transports share: headers, compression, time and retries around one route's single tries. */
import { promisify } from "node:util";
import { diag } from "@opentelemetry/api";
import type { IExporterTransport } from "@opentelemetry/otlp-exporter-base";
import type { OtlpConfig } from "../config.ts";
import type { SendOutcome, SentOutcome } from "./destination.ts";
import { createHeaderSource, findInvalidHeader, type RequestHeaders, redact } from "./headers.ts";
import { type Attempt, sendWithRetries } from "./retry.ts";
import type { PartialSuccess } from "./trace-response.ts";

/** One request, ready for the wire; the same for each of its tries. */
export interface OtlpRequest {
  readonly headers: RequestHeaders;
  /** Compressed when the configuration says so. */
  readonly body: Uint8Array;
}

/** A protocol's way to the receiver. */
export interface OtlpRoute {
  /** One try; settles within `timeoutMs`, never rejects. */
  attempt(request: OtlpRequest, timeoutMs: number): Promise<Attempt>;
  connect(): void;
  wake(): void;
  shutdown(): void;
}

/** An `IExporterTransport` that says more about what became of a request. */
export interface OtlpTransport extends IExporterTransport {
  send(data: Uint8Array, timeoutMs: number): Promise<SendOutcome>;
  connect(): void;
  wake(): void;
}

/** The most that gRPC's eight digits of ms can say; timers, too, know no infinity. */
const MAX_TIMEOUT_MS = 99_999_999;

export type Compressor = (data: Uint8Array) => Promise<Uint8Array>;

/** `node:zlib` costs 2 ms of cold start, so only users of gzip load it. */
export function loadCompressor(compression: OtlpConfig["compression"]): Compressor | undefined {
  if (compression === "none") return undefined;
  const { gzip } = process.getBuiltinModule("node:zlib");
  return promisify(gzip);
}

/** A transport over this route; `config.timeoutMs` bounds each send from above. */
export function createOtlpTransport(
  config: Pick<OtlpConfig, "headers" | "timeoutMs">,
  route: OtlpRoute,
  compress: Compressor | undefined,
): OtlpTransport {
  const closing = new AbortController();
  const headersOf = createHeaderSource(config.headers);
  return {
    async send(data, timeoutMs) {
      if (closing.signal.aborted) return closed();
      const deadline = performance.now() + Math.min(timeoutMs, config.timeoutMs, MAX_TIMEOUT_MS);
      let request: OtlpRequest;
      try {
        const headers = await headersOf(deadline - performance.now());
        const invalid = findInvalidHeader(headers);
        if (invalid !== undefined) return unsendable(invalid);
        request = { headers, body: compress === undefined ? data : await compress(data) };
      } catch (error) {
        return { status: "retryable", error: error as Error, answerLost: false };
      }
      return sendWithRetries(
        (timeLeftMs) => route.attempt(request, timeLeftMs),
        deadline - performance.now(),
        closing.signal,
      );
    },
    connect: () => route.connect(),
    wake: () => route.wake(),
    shutdown: () => {
      closing.abort();
      route.shutdown();
    },
  };
}

function closed(): SendOutcome {
  return { status: "retryable", error: new Error("The exporter is shut down"), answerLost: false };
}

function unsendable(header: string): SendOutcome {
  const name = JSON.stringify(header);
  return { status: "failure", error: new Error(`The OTLP header ${name} is not valid in HTTP`) };
}

/** A success, with what the receiver refused of it said aloud: nobody else would ever notice. */
export function succeed(
  data: Uint8Array,
  partial: PartialSuccess | undefined,
  headers: RequestHeaders,
): SentOutcome {
  if (partial === undefined) return { status: "success", data };
  const { rejectedSpans, message } = partial;
  const words = redact(message, headers);
  if (rejectedSpans === 0) {
    diag.warn(`the OTLP receiver took all spans but warns: ${words}`);
    return { status: "success", data };
  }
  diag.warn(`the OTLP receiver refused ${rejectedSpans} spans: ${words}`);
  return { status: "success", data, rejectedSpans };
}
