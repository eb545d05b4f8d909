/** What a decodable request may still get wrong: the receiver is a judge and refuses it. */
import type { WireKeyValue, WireLink, WireSpan, WireTraces } from "./otlp-definitions.ts";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const LAST_SPAN_KIND = 5;
const LAST_STATUS_CODE = 2;

/** The first violation of the OTLP data model in a request; `undefined` when there is none. */
export function findViolation(traces: WireTraces): string | undefined {
  for (const { resource, scopeSpans } of traces.resourceSpans) {
    const repeated = repeatedKey(resource?.attributes ?? []);
    if (repeated !== undefined) return `resource: attribute ${repeated} is given twice`;
    for (const { spans } of scopeSpans) {
      for (const span of spans) {
        const violation = findSpanViolation(span);
        if (violation !== undefined) return `span ${JSON.stringify(span.name ?? "")}: ${violation}`;
      }
    }
  }
  return undefined;
}

function findSpanViolation(span: WireSpan): string | undefined {
  if (!isId(span.traceId, TRACE_ID_BYTES)) return "the trace id is not 16 bytes with a bit set";
  if (!isId(span.spanId, SPAN_ID_BYTES)) return "the span id is not 8 bytes with a bit set";
  const parentBytes = span.parentSpanId?.length ?? 0;
  if (parentBytes !== 0 && !isId(span.parentSpanId, SPAN_ID_BYTES)) {
    return "the parent span id is neither empty nor 8 bytes with a bit set";
  }
  if (span.startTimeUnixNano == null) return "the start time is missing";
  if (span.endTimeUnixNano == null) return "the end time is missing";
  if ((span.kind ?? 0) > LAST_SPAN_KIND) return `unknown kind ${span.kind}`;
  if ((span.status?.code ?? 0) > LAST_STATUS_CODE) return `unknown status ${span.status?.code}`;
  const repeated =
    repeatedKey(span.attributes) ?? firstRepeatedKey(span.events) ?? firstRepeatedKey(span.links);
  if (repeated !== undefined) return `attribute ${repeated} is given twice`;
  if (!span.links.every(isLinkValid)) return "a link has no valid trace or span id";
  return undefined;
}

function isLinkValid(link: WireLink): boolean {
  return isId(link.traceId, TRACE_ID_BYTES) && isId(link.spanId, SPAN_ID_BYTES);
}

function isId(id: Uint8Array | null | undefined, bytes: number): boolean {
  return id != null && id.length === bytes && id.some((byte) => byte !== 0);
}

function firstRepeatedKey(
  owners: readonly { readonly attributes: readonly WireKeyValue[] }[],
): string | undefined {
  for (const { attributes } of owners) {
    const repeated = repeatedKey(attributes);
    if (repeated !== undefined) return repeated;
  }
  return undefined;
}

function repeatedKey(attributes: readonly WireKeyValue[]): string | undefined {
  const seen = new Set<string>();
  for (const { key } of attributes) {
    if (seen.has(key ?? "")) return JSON.stringify(key ?? "");
    seen.add(key ?? "");
  }
  return undefined;
}
