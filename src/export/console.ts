/** One readable line per span on stdout, which Lambda puts into CloudWatch Logs. */
import { type Attributes, type HrTime, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Destination, ExportRequest, SendOutcome } from "./destination.ts";

/**
 * Attributes worth a line, none of which can carry a secret by its convention. A log has more readers than a
 * tracing backend, so headers, bodies, statements, URLs and a user's own attributes stay out.
 */
const SHOWN: ReadonlySet<string> = new Set([
  "faas.trigger",
  "faas.coldstart",
  "faas.invocation_id",
  "faas.invocation.id",
  "http.request.method",
  "http.route",
  "http.response.status_code",
  "server.address",
  "messaging.system",
  "messaging.system.name",
  "messaging.operation.name",
  "messaging.destination.name",
  "messaging.batch.message_count",
  "messaging.message.id",
  "rpc.service",
  "rpc.method",
  "db.system",
  "db.system.name",
  "db.operation.name",
  "db.collection.name",
  "error.type",
  "coldspan.batch.failure_count",
  "coldspan.message.receive_count",
  "coldspan.message.queue_time_ms",
]);

/** Longer values are cut: a line must stay readable. */
const MAX_VALUE_LENGTH = 120;

/** `write` takes lines and says when they are out. */
export function createConsoleDestination(
  write: (lines: Uint8Array, done: (error?: Error | null) => void) => void = writeToStdout,
): Destination {
  return {
    name: "console",
    maxRequestBytes: Number.POSITIVE_INFINITY,
    encode: (spans) => Buffer.from(spans.map((span) => `${formatSpan(span)}\n`).join("")),
    send: (request, timeoutMs) => send(write, request, timeoutMs),
    shutdown: () => undefined,
  };
}

/** Such as `span "process orders" CONSUMER 12.3 ms trace=… id=… parent=… messaging.system=aws_sqs`. */
export function formatSpan(span: ReadableSpan): string {
  const { traceId, spanId } = span.spanContext();
  const { code, message } = span.status;
  const parent = span.parentSpanContext?.spanId;
  const words = [
    `span ${JSON.stringify(cut(span.name))} ${SpanKind[span.kind] ?? "INTERNAL"}`,
    `${millisecondsOf(span.duration)} ms`,
    ...(code === SpanStatusCode.ERROR ? [message ? `ERROR=${quote(message)}` : "ERROR"] : []),
    `trace=${traceId} id=${spanId}`,
    ...(parent === undefined ? [] : [`parent=${parent}`]),
    ...(span.links.length === 0 ? [] : [`links=${span.links.length}`]),
    ...(span.events.length === 0 ? [] : [`events=${span.events.length}`]),
    ...shownAttributes(span.attributes),
  ];
  return words.join(" ");
}

function shownAttributes(attributes: Attributes): string[] {
  return Object.entries(attributes)
    .filter(([key]) => SHOWN.has(key))
    .map(([key, value]) => `${key}=${quote(typeof value === "string" ? value : toJson(value))}`);
}

function toJson(value: unknown): string {
  return JSON.stringify(value) ?? "";
}

/** Bare when it is one plain word, else in quotes with escapes: a value must not look like another line. */
function quote(value: string): string {
  const text = cut(value);
  return /^[\w.:/@$+-]+$/.test(text) ? text : JSON.stringify(text);
}

function cut(text: string): string {
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

function millisecondsOf([seconds, nanos]: HrTime): string {
  return (seconds * 1000 + nanos / 1e6).toFixed(1);
}

function send(
  write: (lines: Uint8Array, done: (error?: Error | null) => void) => void,
  request: ExportRequest,
  timeoutMs: number,
): Promise<SendOutcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      const error = new Error(`Not written within ${Math.round(timeoutMs)} ms`);
      resolve({ status: "retryable", error, answerLost: true });
    }, timeoutMs);
    const lines = request instanceof Uint8Array ? request : new Uint8Array();
    write(lines, (error) => {
      clearTimeout(timer);
      resolve(error ? { status: "failure", error } : { status: "success" });
    });
  });
}

/** A closed stdout also raises an event, which would end the process if nobody listened. */
function writeToStdout(lines: Uint8Array, done: (error?: Error | null) => void): void {
  const ignore = (): void => undefined;
  process.stdout.on("error", ignore);
  process.stdout.write(lines, (error) => {
    // On failure the event comes after this call.
    if (!error) process.stdout.off("error", ignore);
    done(error);
  });
}
