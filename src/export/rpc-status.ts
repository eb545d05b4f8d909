/** Reads `google.rpc.Status`, which carries a server's wish to be retried later (OTLP, "Throttling"). */
import { readFields } from "./protobuf-reader.ts";

export interface RpcStatus {
  readonly message: string;
  /** From `RetryInfo.retry_delay`; undefined when the server sent no RetryInfo. */
  readonly retryInMs: number | undefined;
}

const RETRY_INFO = "google.rpc.RetryInfo";

/** A longer wait than a day is nonsense: the spans would be gone by then. */
const MAX_RETRY_MS = 24 * 60 * 60 * 1000;

/** Bytes of `google.rpc.Status`; malformed bytes give what could be read before the fault. */
export function readRpcStatus(bytes: Uint8Array): RpcStatus {
  let message = "";
  let retryInMs: number | undefined;
  readFields(bytes, (field, value) => {
    if (typeof value === "number") return;
    if (field === 2) message = toText(value);
    if (field === 3) retryInMs ??= readRetryInfo(value);
  });
  return { message, retryInMs };
}

/** From an `Any`: its type URL, then the message itself. */
function readRetryInfo(any: Uint8Array): number | undefined {
  let type = "";
  let retryInfo: Uint8Array | undefined;
  readFields(any, (field, value) => {
    if (typeof value === "number") return;
    if (field === 1) type = toText(value);
    if (field === 2) retryInfo = value;
  });
  if (type.slice(type.lastIndexOf("/") + 1) !== RETRY_INFO) return undefined;
  return retryInfo === undefined ? 0 : readDelay(retryInfo);
}

function readDelay(retryInfo: Uint8Array): number {
  let delayMs = 0;
  readFields(retryInfo, (field, value) => {
    if (field !== 1 || typeof value === "number") return;
    readFields(value, (part, amount) => {
      if (typeof amount !== "number" || amount > Number.MAX_SAFE_INTEGER) return;
      if (part === 1) delayMs += amount * 1000;
      if (part === 2) delayMs += amount / 1_000_000;
    });
  });
  return Math.min(delayMs, MAX_RETRY_MS);
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
