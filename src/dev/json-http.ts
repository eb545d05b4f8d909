/** The few HTTP moves that both Lambda APIs share. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";

/** Unix time in ms with the resolution of the monotonic clock. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The parsed JSON, or `undefined` when the bytes hold none. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** True for a JSON object, whose fields are then `unknown`. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One value of a request header, decoded as UTF-8: Node hands header bytes out as Latin-1. */
export function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? undefined : Buffer.from(first, "latin1").toString("utf8");
}

/** Text as a header value whose bytes on the wire are UTF-8. */
export function utf8Header(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  sendBytes(response, status, Buffer.from(JSON.stringify(body)), headers);
}

/** `Content-Type` always goes along: the runtime's native client stalls without it. */
export function sendBytes(
  response: ServerResponse,
  status: number,
  bytes: Buffer,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    ...headers,
  });
  response.end(bytes);
}

/** The answer to everything that was taken in (Lambda's Runtime and Extensions API alike). */
export function sendAccepted(response: ServerResponse): void {
  sendJson(response, 202, { status: "OK" });
}

export function sendError(
  response: ServerResponse,
  status: number,
  errorType: string,
  errorMessage: string,
): void {
  sendJson(response, status, { errorType, errorMessage });
}
