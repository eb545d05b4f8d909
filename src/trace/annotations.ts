/** X-Ray's annotations and metadata on the current span (collector's X-Ray exporter: attribute names). */
import { type Span, trace } from "@opentelemetry/api";
import { warnOnce } from "../diag.ts";
import { AWS_XRAY_ANNOTATIONS, AWS_XRAY_METADATA_PREFIX } from "./semconv.ts";

/** What X-Ray accepts as an annotation key. */
const KEY = /^[0-9A-Za-z_]+$/;
/** Annotations that X-Ray indexes per trace; it ignores the rest. */
const MAX_ANNOTATIONS = 50;

/** The keys a span has been annotated with: a span tells nobody its attributes. */
const annotated = new WeakMap<Span, string[]>();

/**
 * Sets an attribute on the current span and has X-Ray index it, so that traces can be searched for it.
 *
 * Other backends see a plain attribute. A key that X-Ray would refuse (anything but letters, digits
 * and `_`) is set as an attribute all the same, with one warning. No span is current: nothing happens.
 *
 * @example
 * ```ts
 * import { annotate, withTracing } from "coldspan";
 *
 * export const handler = withTracing(async (event: { customer: string }) => {
 *   annotate("customer", event.customer);
 * });
 * ```
 */
export function annotate(key: string, value: string | number | boolean): void {
  const span = trace.getActiveSpan();
  if (span === undefined) return;
  span.setAttribute(key, value);
  if (!KEY.test(key)) {
    warnOnce(
      `annotate.${key}`,
      `annotate: expected a key of letters, digits and "_", got "${key}"; X-Ray will not index it`,
    );
    return;
  }
  const keys = annotated.get(span) ?? [];
  if (keys.includes(key) || keys.length >= MAX_ANNOTATIONS) return;
  keys.push(key);
  annotated.set(span, keys);
  span.setAttribute(AWS_XRAY_ANNOTATIONS, [...keys]);
}

/**
 * Adds X-Ray metadata to the current span: kept with the trace, not indexed.
 *
 * Other backends see the attribute `aws.xray.metadata.<key>`; anything but a string, number or
 * boolean becomes JSON. No span is current: nothing happens.
 *
 * @example
 * ```ts
 * import { addMetadata, withTracing } from "coldspan";
 *
 * export const handler = withTracing(async (event: { items: string[] }) => {
 *   addMetadata("items", event.items);
 * });
 * ```
 */
export function addMetadata(key: string, value: unknown): void {
  const span = trace.getActiveSpan();
  if (span === undefined) return;
  span.setAttribute(`${AWS_XRAY_METADATA_PREFIX}${key}`, toAttribute(key, value));
}

function toAttribute(key: string, value: unknown): string | number | boolean {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return value;
  }
  try {
    return JSON.stringify(value) ?? String(value);
  } catch (error) {
    warnOnce(`addMetadata.${key}`, `addMetadata: "${key}" is no JSON: ${String(error)}`);
    return "[not serialisable]";
  }
}
