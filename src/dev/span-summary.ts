/** The few words a reader wants to know about a span, shared by the terminal and the page. */
import type { AttributeRecord, ReceivedLink, ReceivedSpan } from "./received-span.ts";

const NANOS_PER_US = 1e3;
const NANOS_PER_MS = 1e6;
const NANOS_PER_S = 1e9;
const SECONDS_PER_MINUTE = 60;
const ID_DIGITS_SHOWN = 8;

/** Attributes worth a place on the span's own line, and how they read there. */
const NOTES: readonly (readonly [key: string, format: (value: string) => string])[] = [
  ["faas.coldstart", (value) => (value === "true" ? "cold start" : "")],
  ["messaging.batch.message_count", (value) => `${value} message${value === "1" ? "" : "s"}`],
  ["messaging.message.id", (value) => value],
  ["http.response.status_code", (value) => `HTTP ${value}`],
  ["rpc.grpc.status_code", (value) => `gRPC ${value}`],
];

/** The notes of a span in reading order; its service comes first when the reader does not know it yet. */
export function describeNotes(span: ReceivedSpan, knownService: string | undefined): string[] {
  const service = serviceOf(span);
  const notes = NOTES.flatMap(([key, format]) => {
    const value = span.attributes[key];
    return value === undefined ? [] : [format(String(value))];
  });
  const isKnown = service === knownService || service === span.name;
  return [isKnown ? "" : service, ...notes].filter((note) => note !== "");
}

export function serviceOf({ resource }: ReceivedSpan): string {
  return String(resource["service.name"] ?? "");
}

/** `Type: message` of what went wrong; `undefined` for a span without error. */
export function describeError({ status, events, attributes }: ReceivedSpan): string | undefined {
  if (status.code !== "ERROR") return undefined;
  const exception: AttributeRecord =
    events.findLast(({ name }) => name === "exception")?.attributes ?? {};
  const type = exception["exception.type"] ?? attributes["error.type"];
  const message = exception["exception.message"] ?? status.message;
  const parts = [type, message].filter((part) => part !== undefined && part !== "");
  return parts.length === 0 ? "error" : parts.join(": ");
}

/** Where a link leads, by name when the span it leads to is known. */
export function describeLink(
  link: ReceivedLink,
  from: ReceivedSpan,
  byId: ReadonlyMap<string, ReceivedSpan>,
): string {
  const target = byId.get(link.spanId)?.name ?? `span ${link.spanId}`;
  const trace = link.traceId === from.traceId ? "same trace" : `trace ${shorten(link.traceId)}`;
  return `link to ${target} (${trace})`;
}

function shorten(id: string): string {
  return `${id.slice(0, ID_DIGITS_SHOWN)}…`;
}

/** Three significant digits with a fitting unit, at most 8 columns; `?` for an end before the start. */
export function formatDuration(startNanos: bigint, endNanos: bigint): string {
  const nanos = Number(endNanos - startNanos);
  if (nanos < 0) return "?";
  if (nanos < NANOS_PER_US) return `${nanos} ns`;
  if (nanos < NANOS_PER_MS) return `${toDigits(nanos / NANOS_PER_US)} µs`;
  if (nanos < NANOS_PER_S) return `${toDigits(nanos / NANOS_PER_MS)} ms`;
  const seconds = nanos / NANOS_PER_S;
  if (seconds < SECONDS_PER_MINUTE) return `${toDigits(seconds)} s`;
  return `${Math.floor(seconds / SECONDS_PER_MINUTE)}m ${Math.floor(seconds % SECONDS_PER_MINUTE)}s`;
}

function toDigits(value: number): string {
  return value >= 100 ? String(Math.floor(value)) : value.toPrecision(3);
}
