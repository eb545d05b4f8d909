/** What both OTLP encodings share: how spans are grouped, and a span's flags (opentelemetry-proto 1.11). */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";

export type Resource = ReadableSpan["resource"];
export type Scope = ReadableSpan["instrumentationScope"];

/** Bits 8 and 9 of a span's flags: whether its parent's remoteness is known, and that it is remote. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** Spans by resource and scope, each in their order. */
export function groupSpans(
  spans: readonly ReadableSpan[],
): [resource: Resource, Map<Scope, ReadableSpan[]>][] {
  const resources = new Map<Resource, Map<Scope, ReadableSpan[]>>();
  for (const span of spans) {
    const scopes = resources.get(span.resource) ?? new Map<Scope, ReadableSpan[]>();
    if (scopes.size === 0) resources.set(span.resource, scopes);
    const group = scopes.get(span.instrumentationScope);
    if (group === undefined) scopes.set(span.instrumentationScope, [span]);
    else group.push(span);
  }
  return [...resources];
}

/** `flags` of a span with such a parent, or of a link to such a span. */
export function flagsOf(traceFlags: number, isRemote: boolean | undefined): number {
  return (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote === true ? IS_REMOTE : 0);
}
