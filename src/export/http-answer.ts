/** What an HTTP answer to an OTLP request means (OTLP, "OTLP/HTTP Response"). */
import type { SendOutcome } from "./destination.ts";
import { isGatewayFailure } from "./gateway.ts";
import { type RequestHeaders, redact } from "./headers.ts";
import { succeed } from "./otlp-transport.ts";
import { readRpcStatus } from "./rpc-status.ts";
import {
  type PartialSuccess,
  readPartialSuccess,
  readPartialSuccessJson,
} from "./trace-response.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  /** As far as it came: a status is an answer even when its body is cut off. */
  readonly body: Uint8Array;
}

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** A longer wait than a day is nonsense: the spans would be gone by then. */
const MAX_RETRY_MS = 24 * 60 * 60 * 1000;

export function judgeHttpAnswer(answer: HttpAnswer, headers: RequestHeaders): SendOutcome {
  if (answer.status >= 200 && answer.status < 300) {
    return succeed(answer.body, partialSuccessOf(answer), headers);
  }
  const text = redact(messageOf(answer), headers);
  const error = new Error(`HTTP ${answer.status}${text === "" ? "" : `: ${text}`}`);
  if (!RETRYABLE.has(answer.status)) return { status: "failure", error };
  const retryInMillis = parseRetryAfter(answer.retryAfter);
  return {
    status: "retryable",
    error,
    answerLost: isGatewayFailure(answer.status),
    ...(retryInMillis === undefined ? {} : { retryInMillis }),
  };
}

/** Seconds or an HTTP date (RFC 9110 §10.2.3); undefined when it is neither. */
function parseRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const waitMs = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_MS);
}

function partialSuccessOf({ contentType, body }: HttpAnswer): PartialSuccess | undefined {
  return isJson(contentType) ? readPartialSuccessJson(parseJson(body)) : readPartialSuccess(body);
}

/** Errors carry `google.rpc.Status` in the request's encoding; proxies answer with pages, which say little. */
function messageOf({ contentType, body }: HttpAnswer): string {
  if (contentType.startsWith("application/x-protobuf")) return readRpcStatus(body).message;
  if (contentType.startsWith("text/plain")) return Buffer.from(body).toString("utf8").trim();
  if (!isJson(contentType)) return "";
  const parsed = parseJson(body);
  const message = typeof parsed === "object" && parsed !== null && "message" in parsed;
  return message && typeof parsed.message === "string" ? parsed.message : "";
}

function isJson(contentType: string): boolean {
  return contentType.startsWith("application/json");
}

/** Undefined when it is not JSON. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}
