/** The one place that writes lines: coldspan's own warnings and OpenTelemetry's internal log. */
import { type DiagLogger, DiagLogLevel, diag } from "@opentelemetry/api";
import type { LogLevel } from "./config.ts";

const LEVELS: Readonly<Record<LogLevel, DiagLogLevel>> = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
};

let threshold: DiagLogLevel = DiagLogLevel.WARN;
let json = false;
const warned = new Set<string>();

/**
 * Sends OpenTelemetry's internal log to stderr, at `level` and above. A logger that the user sets
 * later replaces it.
 */
export function installDiagLogger(level: LogLevel, jsonLogs: boolean): void {
  threshold = LEVELS[level];
  json = jsonLogs;
  const logger: DiagLogger = {
    error: (...parts) => writeLine("ERROR", parts),
    warn: (...parts) => writeLine("WARN", parts),
    info: (...parts) => writeLine("INFO", parts),
    debug: (...parts) => writeLine("DEBUG", parts),
    verbose: (...parts) => writeLine("TRACE", parts),
  };
  diag.setLogger(logger, { logLevel: threshold, suppressOverrideMessage: true });
}

/** Warns the first time that `key` is seen in this process. The message must hold no secret. */
export function warnOnce(key: string, message: string): void {
  if (warned.has(key)) return;
  warned.add(key);
  if (threshold >= DiagLogLevel.WARN) writeLine("WARN", [message]);
}

/** Warns every time, with fields that a log query can read. They must hold no secret. */
export function warnWithFields(message: string, fields: object): void {
  if (threshold >= DiagLogLevel.WARN) writeLine("WARN", [message], fields);
}

/**
 * Writes to stderr, which Lambda logs as it does stdout; a pipe is written synchronously, so the
 * line survives a `process.exit`.
 */
function writeLine(level: string, parts: readonly unknown[], fields?: object): void {
  const message = `coldspan: ${parts.map(textOf).join(" ")}`;
  const line = json
    ? JSON.stringify({ timestamp: new Date().toISOString(), level, message, ...fields })
    : `${message}${fields === undefined ? "" : ` ${safeJson(fields)}`}`.replaceAll("\n", "\n  ");
  process.stderr.write(`${line}\n`);
}

function textOf(part: unknown): string {
  if (part instanceof Error) return part.message;
  return typeof part === "string" ? part : safeJson(part);
}

function safeJson(part: unknown): string {
  try {
    return JSON.stringify(part) ?? String(part);
  } catch {
    return "[object]"; // Circular: its text is worth less than the line.
  }
}

/** Writes what the user must know of a failure that is theirs, such as a failed record, every time. */
export function reportError(what: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  writeLine("ERROR", [`${what}: ${text}`]);
}
