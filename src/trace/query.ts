/** `url.query`: put together from the forms of a gateway, secrets replaced (HTTP spans, §url.query). */
import { isObject, percentDecode, text } from "./shape.ts";

/** Keys whose values are credentials; matched case-sensitively, as the convention asks. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  "AWSAccessKeyId",
  "Signature",
  "sig",
  "X-Amz-Credential",
  "X-Amz-Security-Token",
  "X-Amz-Signature",
  "X-Goog-Signature",
]);

/** Longest query that is put together, in characters; the attribute is cut at it anyway. */
const MAX_QUERY_LENGTH = 4_096;

/** A raw query string without its secrets; `undefined` when there is none. */
export function redactQuery(query: unknown): string | undefined {
  return text(query)?.split("&").map(redactPair).join("&");
}

/** The query of parameters that the gateway has decoded, as texts or lists of texts. */
export function encodeQuery(parameters: unknown): string | undefined {
  return redactQuery(joinQuery(parameters, (part) => encodeURIComponent(part.toWellFormed())));
}

/** The query of parameters that are still as the client encoded them (ALB). */
export function rawQuery(parameters: unknown): string | undefined {
  return redactQuery(joinQuery(parameters, (part) => part));
}

function redactPair(pair: string): string {
  const end = pair.indexOf("=");
  if (end === -1) return pair;
  const key = pair.slice(0, end);
  return SECRET_KEYS.has(percentDecode(key)) ? `${key}=REDACTED` : pair;
}

function joinQuery(parameters: unknown, encode: (part: string) => string): string {
  if (!isObject(parameters)) return "";
  let query = "";
  for (const key of Object.keys(parameters)) {
    const values = parameters[key];
    for (const value of Array.isArray(values) ? values : [values]) {
      if (query.length > MAX_QUERY_LENGTH) return query;
      if (typeof value !== "string") continue;
      query += `${query && "&"}${encode(cut(key))}=${encode(cut(value))}`;
    }
  }
  return query;
}

function cut(part: string): string {
  return part.length > MAX_QUERY_LENGTH ? part.slice(0, MAX_QUERY_LENGTH) : part;
}
