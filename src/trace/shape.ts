/** Readers of unknown JSON: each answers `undefined` where the shape is another, and never throws. */
import type { EventObject } from "./source.ts";

/**
 * Longest text taken from an event into an attribute, in UTF-16 units: above any identifier, path or
 * user agent that AWS lets through, and small enough that a hostile event stays a small span.
 */
const MAX_TEXT_LENGTH = 4_096;

/** Longest decimal number that is read; a safe integer has 16 digits. */
const MAX_DIGITS = 20;

/** Longest date text that is read; ISO 8601 with an offset needs 29. */
const MAX_DATE_LENGTH = 40;

const EMPTY: EventObject = Object.freeze({});

/** True for objects and arrays: everything whose fields can be read. */
export function isObject(value: unknown): value is EventObject {
  return typeof value === "object" && value !== null;
}

/** The value itself when it is an object, else an empty one: for reading fields without asking. */
export function asObject(value: unknown): EventObject {
  return isObject(value) ? value : EMPTY;
}

/** A non-empty string, cut at 4,096 units. */
export function text(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return value.length > MAX_TEXT_LENGTH ? value.slice(0, MAX_TEXT_LENGTH) : value;
}

/** A finite number, or one in decimal digits as SQS writes its counts and times. */
export function number(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value === "" || value.length > MAX_DIGITS) return undefined;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/** Unix time in ms of a time in seconds, as streams write theirs. */
export function secondsToMs(value: unknown): number | undefined {
  const seconds = number(value);
  const ms = Math.round((seconds ?? Number.NaN) * 1_000);
  return Number.isFinite(ms) ? ms : undefined;
}

/** Unix time in ms of an ISO 8601 text. */
export function isoTimeMs(value: unknown): number | undefined {
  if (typeof value !== "string" || value.length > MAX_DATE_LENGTH) return undefined;
  const timeMs = Date.parse(value);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** ISO 8601 text of a Unix time in ms; `undefined` outside of what a date can be (± 8.64e15 ms). */
export function isoText(timeMs: number | undefined): string | undefined {
  if (timeMs === undefined || Math.abs(timeMs) > 8.64e15) return undefined;
  return new Date(timeMs).toISOString();
}

/** The array of records under `Records`; the event itself where EventBridge Pipes hands over bare records. */
export function recordsOf(event: EventObject): readonly unknown[] | undefined {
  if (Array.isArray(event)) return event;
  return Array.isArray(event.Records) ? event.Records : undefined;
}

/** The first record, by which the `Records` events of AWS are told apart. */
export function firstRecord(event: EventObject): EventObject {
  return asObject(recordsOf(event)?.[0]);
}

/** What all records say, `undefined` when they differ: what the event as a whole is about. */
export function common<T>(
  records: readonly unknown[],
  read: (record: EventObject) => T | undefined,
): T | undefined {
  const first = read(asObject(records[0]));
  return records.every((record) => read(asObject(record)) === first) ? first : undefined;
}

/** The object or array that a JSON text holds; `undefined` for any other text. */
export function parseObject(json: string): EventObject | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    // Not JSON: a payload may be anything, and is the handler's matter.
    return undefined;
  }
}

/** Percent-decodes a text; one that is not encoded, or cut inside a sequence, stays as it came. */
export function percentDecode(encoded: string): string {
  if (!encoded.includes("%")) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
