/** The headers a user adds to each request, and how they stay out of logs. */
import type { OtlpConfig } from "../config.ts";
import { within } from "./within.ts";

export type RequestHeaders = Readonly<Record<string, string>>;

/** Set by the protocol or forbidden in it; a user's values for them are ignored (RFC 9113 §8.2.2). */
const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
]);

/** Shorter values, such as `1` or `true`, are no secrets, and hiding them would garble messages. */
const MIN_SECRET_LENGTH = 8;

/** Enough for any status text; a log line must stay a line. */
const MAX_MESSAGE_LENGTH = 300;

/** Gives the headers of one export, with names in lower case, within the given ms. */
export type HeaderSource = (timeoutMs: number) => Promise<RequestHeaders>;

/**
 * Static headers are prepared once; a function is called for each export. The source rejects when the
 * function fails or is not done in time, with a message free of its secrets.
 */
export function createHeaderSource(headers: OtlpConfig["headers"]): HeaderSource {
  if (typeof headers !== "function") {
    const prepared = Promise.resolve(normalize(headers));
    return () => prepared;
  }
  return async (timeoutMs) => {
    try {
      return normalize(await within(call(headers), timeoutMs, "headers"));
    } catch (error) {
      // The function's own message may quote a token or a request that carries one.
      const kind = error instanceof Error ? error.name : typeof error;
      throw new Error(`The headers function of the OTLP exporter failed (${kind})`);
    }
  };
}

async function call(
  headers: () => RequestHeaders | Promise<RequestHeaders>,
): Promise<RequestHeaders> {
  return headers();
}

function normalize(headers: RequestHeaders): RequestHeaders {
  const normal: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    // A newline at the end is what tokens read from files tend to have.
    if (!RESERVED.has(key) && !/^(?:$|:|grpc-)/.test(key)) normal[key] = value.trim();
  }
  return normal;
}

/** The name of a header that cannot go on the wire: servers end the connection over it. */
export function findInvalidHeader(headers: RequestHeaders): string | undefined {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value)) return name;
  }
  return undefined;
}

/** A server's words with the values of these headers cut out, on one line, of bounded length. */
export function redact(text: string, headers: RequestHeaders): string {
  let safe = text;
  for (const value of Object.values(headers)) {
    if (value.length < MIN_SECRET_LENGTH) continue;
    safe = safe.replaceAll(value, "***");
    // The token of `Bearer …` may be quoted without its scheme.
    const token = value.slice(value.lastIndexOf(" ") + 1);
    if (token.length >= MIN_SECRET_LENGTH) safe = safe.replaceAll(token, "***");
  }
  return safe.replaceAll(/\p{Cc}+/gu, " ").slice(0, MAX_MESSAGE_LENGTH);
}
