/**
 * OTLP in UDP datagrams to the X-Ray daemon that Lambda runs beside a function with active tracing.
 * The form is the one AWS's own distribution sends: a JSON header line, a marker, the request in base64.
 */
import { createSocket, type Socket } from "node:dgram";
import { TraceFlags } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Destination, ExportRequest, SendOutcome } from "./destination.ts";
import { encodeTraces } from "./otlp-encoder.ts";

const HEADER = '{"format":"json","version":1}\n';

/** Markers of sampled and unsampled spans. */
const SAMPLED = "T1S";
const UNSAMPLED = "T1U";

/** What an IPv4 datagram holds: 65,535 bytes less 20 of IP's header and 8 of UDP's. */
const MAX_DATAGRAM_BYTES = 65_507;

/** As much as still fits after base64 has made four bytes of three; one byte of it is our own mark. */
const MAX_REQUEST_BYTES = 49_100;

/** A request's first byte, which says which marker its datagram gets. */
const SAMPLED_MARK = 1;
const UNSAMPLED_MARK = 0;

/** Success means that the kernel took the datagram: UDP has no answers. */
export function createXrayDestination(host: string, port: number): Destination {
  const sender = new DatagramSender(host, port);
  return {
    name: `xray udp ${host}:${port}`,
    maxRequestBytes: MAX_REQUEST_BYTES,
    encode,
    send: (request, timeoutMs) => sender.send(toDatagram(request), timeoutMs),
    shutdown: () => sender.close(),
  };
}

/** Spans of one request share one fate at X-Ray, so one sampled span makes them all sampled. */
function encode(spans: readonly ReadableSpan[]): Uint8Array {
  const isSampled = spans.some((span) => span.spanContext().traceFlags & TraceFlags.SAMPLED);
  const mark = isSampled ? SAMPLED_MARK : UNSAMPLED_MARK;
  return Buffer.concat([Buffer.from([mark]), encodeTraces(spans)]);
}

function toDatagram(request: ExportRequest): string {
  const bytes = request instanceof Uint8Array ? request : new Uint8Array();
  const marker = bytes[0] === UNSAMPLED_MARK ? UNSAMPLED : SAMPLED;
  const { buffer, byteOffset, byteLength } = bytes;
  return `${HEADER}${marker}${Buffer.from(buffer, byteOffset, byteLength).toString("base64", 1)}`;
}

class DatagramSender {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #isClosed = false;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  send(datagram: string, timeoutMs: number): Promise<SendOutcome> {
    if (datagram.length > MAX_DATAGRAM_BYTES) return Promise.resolve(tooLarge(datagram.length));
    if (this.#isClosed) return Promise.resolve(unsent(new Error("The exporter is shut down")));
    return new Promise((resolve) => {
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        resolve(error === null ? { status: "success" } : unsent(error));
      };
      const late = new Error(`Not sent within ${Math.round(timeoutMs)} ms`);
      const timer = setTimeout(() => settle(late), timeoutMs);
      try {
        this.#open().send(datagram, this.#port, this.#host, settle);
      } catch (error) {
        settle(error as Error);
      }
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#discard();
  }

  #open(): Socket {
    // What failed is reported by the send under way; the next one gets a new socket.
    this.#socket ??= createSocket("udp4")
      .on("error", () => this.#discard())
      .unref();
    return this.#socket;
  }

  #discard(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

function tooLarge(bytes: number): SendOutcome {
  const limit = `a datagram holds ${MAX_DATAGRAM_BYTES}`;
  return { status: "failure", error: new Error(`The datagram has ${bytes} bytes, ${limit}`) };
}

function unsent(error: Error): SendOutcome {
  return { status: "retryable", error, answerLost: false };
}
