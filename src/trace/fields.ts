/** Picks wanted fields out of the maps AWS delivers: headers, message attributes, broker headers. */
import { isObject } from "./shape.ts";
import type { EventObject } from "./source.ts";

/** W3C Baggage §3.3.2 lets 8,192 bytes through, gateways no longer header either; above it is dropped. */
export const MAX_VALUE_LENGTH = 8_192;

/** Reads a field's value out of its shape. */
export type ReadValue = (value: unknown) => string | undefined;

/** Names in lower case to values. */
export type Fields = Record<string, string>;

/** Names to look for, in lower case, and the length of the longest: longer ones are not even lower-cased. */
export interface Wanted {
  readonly names: ReadonlySet<string>;
  readonly maxLength: number;
}

/** Names to look for; give them in lower case. */
export function wanted(...names: readonly string[]): Wanted {
  return { names: new Set(names), maxLength: Math.max(...names.map((name) => name.length)) };
}

/** The wanted fields of a map, whatever their letter case; `undefined` when it has none. */
export function pickFields(
  map: unknown,
  { names, maxLength }: Wanted,
  read: ReadValue,
): Fields | undefined {
  if (!isObject(map)) return undefined;
  let fields: Fields | undefined;
  for (const name of Object.keys(map)) {
    if (name.length > maxLength) continue;
    const field = name.toLowerCase();
    if (!names.has(field)) continue;
    const value = read(map[name]);
    if (value === undefined) continue;
    fields ??= {};
    fields[field] = value;
  }
  return fields;
}

/** A non-empty text of at most 8,192 characters. */
export function plainText(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "" || value.length > MAX_VALUE_LENGTH)
    return undefined;
  return value;
}

/**
 * A header's value of any shape: text, list of texts (multi-value headers, VPC Lattice) or list of
 * `{ value }` (CloudFront). Repeated headers join with commas (RFC 9110 §5.3).
 */
export function headerText(value: unknown): string | undefined {
  if (!Array.isArray(value)) return plainText(value);
  let joined: string | undefined;
  for (const item of value) {
    const part = plainText(isObject(item) ? item.value : item);
    if (part === undefined) continue;
    joined = joined === undefined ? part : `${joined},${part}`;
    if (joined.length > MAX_VALUE_LENGTH) return undefined;
  }
  return joined;
}

/** The headers of a request that comes with single values, with lists of values, or with both. */
export function headersOf(event: EventObject): unknown {
  const { headers, multiValueHeaders } = event;
  const listed = isObject(multiValueHeaders) && Object.keys(multiValueHeaders).length > 0;
  return listed ? multiValueHeaders : headers;
}
