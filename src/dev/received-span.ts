/** A span as it came over the wire, in a form that is pleasant to read and to compare. */
import type {
  Long,
  WireAnyValue,
  WireEvent,
  WireKeyValue,
  WireLink,
  WireScope,
  WireSpan,
  WireTraces,
} from "./otlp-definitions.ts";

/** Integers beyond ±2^53 are bigints, all other numbers are numbers. */
type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type AttributeRecord = Readonly<Record<string, AttributeValue>>;

const KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] as const;
const STATUS_CODES = ["UNSET", "OK", "ERROR"] as const;

export type SpanKindName = (typeof KINDS)[number];
type StatusCodeName = (typeof STATUS_CODES)[number];

interface ReceivedEvent {
  readonly name: string;
  readonly timeUnixNano: bigint;
  readonly attributes: AttributeRecord;
  readonly droppedAttributesCount: number;
}

export interface ReceivedLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  /** W3C trace flags in the low byte; bits 8 and 9 say whether, and that, the context is remote. */
  readonly flags: number;
  readonly attributes: AttributeRecord;
  readonly droppedAttributesCount: number;
}

export interface ReceivedSpan {
  /** Lower-case hex, 32 and 16 digits. */
  readonly traceId: string;
  readonly spanId: string;
  /** `undefined` for a root span. */
  readonly parentSpanId: string | undefined;
  readonly traceState: string;
  /** As on links. */
  readonly flags: number;
  readonly name: string;
  readonly kind: SpanKindName;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly attributes: AttributeRecord;
  readonly droppedAttributesCount: number;
  readonly events: readonly ReceivedEvent[];
  readonly droppedEventsCount: number;
  readonly links: readonly ReceivedLink[];
  readonly droppedLinksCount: number;
  readonly status: { readonly code: StatusCodeName; readonly message: string };
  /** The resource's attributes; shared by all spans of one resource entry. */
  readonly resource: AttributeRecord;
  readonly scope: ReceivedScope;
  /** Index of the request that carried it, in order of arrival. */
  readonly requestIndex: number;
}

interface ReceivedScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: AttributeRecord;
}

/** The spans of one decoded request, in wire order. */
export function readSpans(traces: WireTraces, requestIndex: number): ReceivedSpan[] {
  return traces.resourceSpans.flatMap((entry) => {
    const resource = toRecord(entry.resource?.attributes ?? []);
    return entry.scopeSpans.flatMap((scopeSpans) => {
      const scope = toScope(scopeSpans.scope);
      return scopeSpans.spans.map((span) => toSpan(span, resource, scope, requestIndex));
    });
  });
}

function toSpan(
  span: WireSpan,
  resource: AttributeRecord,
  scope: ReceivedScope,
  requestIndex: number,
): ReceivedSpan {
  return {
    traceId: toHex(span.traceId),
    spanId: toHex(span.spanId),
    parentSpanId: toHex(span.parentSpanId) || undefined,
    traceState: span.traceState ?? "",
    flags: span.flags ?? 0,
    name: span.name ?? "",
    kind: KINDS[span.kind ?? 0] ?? "UNSPECIFIED",
    startTimeUnixNano: toBigInt(span.startTimeUnixNano),
    endTimeUnixNano: toBigInt(span.endTimeUnixNano),
    attributes: toRecord(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount ?? 0,
    events: span.events.map(toEvent),
    droppedEventsCount: span.droppedEventsCount ?? 0,
    links: span.links.map(toLink),
    droppedLinksCount: span.droppedLinksCount ?? 0,
    status: {
      code: STATUS_CODES[span.status?.code ?? 0] ?? "UNSET",
      message: span.status?.message ?? "",
    },
    resource,
    scope,
    requestIndex,
  };
}

function toEvent(event: WireEvent): ReceivedEvent {
  return {
    name: event.name ?? "",
    timeUnixNano: toBigInt(event.timeUnixNano),
    attributes: toRecord(event.attributes),
    droppedAttributesCount: event.droppedAttributesCount ?? 0,
  };
}

function toLink(link: WireLink): ReceivedLink {
  return {
    traceId: toHex(link.traceId),
    spanId: toHex(link.spanId),
    traceState: link.traceState ?? "",
    flags: link.flags ?? 0,
    attributes: toRecord(link.attributes),
    droppedAttributesCount: link.droppedAttributesCount ?? 0,
  };
}

function toScope(scope: WireScope | null | undefined): ReceivedScope {
  return {
    name: scope?.name ?? "",
    version: scope?.version ?? "",
    attributes: toRecord(scope?.attributes ?? []),
  };
}

function toRecord(attributes: readonly WireKeyValue[]): AttributeRecord {
  // fromEntries defines own properties, so a hostile `__proto__` key stays a plain key.
  return Object.fromEntries(attributes.map(({ key, value }) => [key ?? "", toValue(value)]));
}

function toValue(value: WireAnyValue | null | undefined): AttributeValue {
  if (value?.stringValue != null) return value.stringValue;
  if (value?.boolValue != null) return value.boolValue;
  if (value?.intValue != null) return toInteger(value.intValue);
  if (value?.doubleValue != null) return value.doubleValue;
  if (value?.bytesValue != null) return value.bytesValue;
  if (value?.arrayValue != null) return value.arrayValue.values.map(toValue);
  if (value?.kvlistValue != null) return toRecord(value.kvlistValue.values);
  return null;
}

function toInteger(value: Long): number | bigint {
  const integer = (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
  const asNumber = Number(integer);
  return Number.isSafeInteger(asNumber) ? asNumber : integer;
}

function toBigInt(time: Long | null | undefined): bigint {
  if (time == null) return 0n;
  return (BigInt(time.high >>> 0) << 32n) | BigInt(time.low >>> 0);
}

function toHex(id: Uint8Array | null | undefined): string {
  if (id == null) return "";
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("hex");
}
