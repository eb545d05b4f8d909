/** The headers a user adds to each request, and how they stay out of logs. */
import type { OtlpConfig } from "../config.ts";

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

/**
 * The headers of one export, with names in lower case; a function is called each time.
 * Rejects when the function fails or is not done within `timeoutMs`, with a message free of its secrets.
 */
export async function resolveHeaders(
  headers: OtlpConfig["headers"],
  timeoutMs: number,
): Promise<RequestHeaders> {
  if (typeof headers !== "function") return normalize(headers);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("took too long")), timeoutMs);
  });
  try {
    return normalize(await Promise.race([call(headers), timeout]));
  } catch (error) {
    // The function's own message may quote a token or a request that carries one.
    const kind = error instanceof Error ? error.name : typeof error;
    throw new Error(`The headers function of the OTLP exporter failed (${kind})`);
  } finally {
    clearTimeout(timer);
  }
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

/** The name of a header that cannot go on the wire: `node:http2` would drop it without a word. */
export function findInvalidHeader(headers: RequestHeaders): string | undefined {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || !/^[\t\x20-\x7e]*$/.test(value)) return name;
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

/** Enough for any status text; a log line must stay a line. */
const MAX_MESSAGE_LENGTH = 300;
