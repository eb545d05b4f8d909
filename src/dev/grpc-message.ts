/** gRPC over HTTP/2, the receiving half: one unary message, checked as strictly as the protocol allows. */
import type { IncomingHttpHeaders } from "node:http2";
import { gunzipSync } from "node:zlib";
import { type Body, type Refusal, refuse } from "./otlp-exchange.ts";

/** 1 byte compressed flag, 4 bytes message length. */
export const PREFIX_BYTES = 5;
const TIMEOUT = /^\d{1,8}[HMSmun]$/;

export const EXPORT_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

export interface GrpcMessage {
  readonly kind: "message";
  readonly bytes: Buffer;
  readonly compressed: boolean;
}

/** Checks the request headers of a unary OTLP call; a string says what is wrong with them. */
export function checkGrpcHeaders(
  headers: IncomingHttpHeaders,
  secure: boolean,
): string | undefined {
  const contentType = headers["content-type"] ?? "";
  if (headers[":method"] !== "POST") return `method is ${headers[":method"]}, not POST`;
  if (!/^application\/grpc(\+proto)?$/.test(contentType)) return `content-type is "${contentType}"`;
  if (headers.te !== "trailers") return `te is "${headers.te}", not "trailers"`;
  if (headers[":scheme"] !== (secure ? "https" : "http")) return `scheme is ${headers[":scheme"]}`;
  const timeout = headers["grpc-timeout"];
  if (timeout !== undefined && !TIMEOUT.test(String(timeout)))
    return `grpc-timeout is "${timeout}"`;
  return undefined;
}

/** Takes the one message out of a unary call's body; `maxBytes` bounds it before and after gunzip. */
export function readGrpcMessage(
  { bytes, wireBytes }: Body,
  encoding: string | undefined,
  maxBytes: number,
): GrpcMessage | Refusal {
  if (wireBytes < PREFIX_BYTES) return refuse("malformed", `body of ${wireBytes} B has no frame`);
  const flag = bytes.readUInt8(0);
  const length = bytes.readUInt32BE(1);
  if (flag > 1) return refuse("malformed", `compressed flag is ${flag}`);
  if (length > maxBytes) return tooLarge(length, maxBytes);
  if (wireBytes !== PREFIX_BYTES + length) {
    return refuse("malformed", `frame says ${length} B, body has ${wireBytes - PREFIX_BYTES} B`);
  }
  const message = bytes.subarray(PREFIX_BYTES);
  if (flag === 0) return { kind: "message", bytes: message, compressed: false };
  if (encoding === undefined || encoding === "identity") {
    return refuse("malformed", "message is flagged as compressed, grpc-encoding is not set");
  }
  if (encoding !== "gzip") return refuse("malformed", `grpc-encoding "${encoding}" is unknown`);
  return gunzip(message, maxBytes);
}

function gunzip(message: Buffer, maxBytes: number): GrpcMessage | Refusal {
  try {
    const bytes = gunzipSync(message, { maxOutputLength: maxBytes });
    return { kind: "message", bytes, compressed: true };
  } catch (error) {
    if (isTooLarge(error)) return tooLarge(undefined, maxBytes);
    return refuse("malformed", `message is not gzip: ${String(error)}`);
  }
}

/** True for zlib's error when `maxOutputLength` was exceeded. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

/** One uncompressed message with its prefix. */
export function frameGrpcMessage(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** Percent-encodes a `grpc-message` (gRPC over HTTP/2: all but printable ASCII, and `%` itself). */
export function encodeGrpcMessage(message: string): string {
  return Buffer.from(message, "utf8").reduce((text, byte) => {
    const printable = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    return (
      text +
      (printable
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    );
  }, "");
}

function tooLarge(length: number | undefined, maxBytes: number): Refusal {
  const size = length === undefined ? "after decompression" : `(${length} vs. ${maxBytes})`;
  return refuse("too-large", `received message larger than max ${size}`);
}
