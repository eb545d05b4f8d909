/** One trace of spans that use everything the SDK can say about a span. */
import {
  type Attributes,
  createTraceState,
  type Link,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan, TracerProvider } from "@opentelemetry/sdk-trace";
import { collectSpans } from "./spans.ts";

/** Each kind of value that an attribute can have (specification: common, "AnyValue"). */
export const EVERY_TYPE: Attributes = {
  text: 'größe 🧊 \u0000 "quoted" \\ \n',
  "empty text": "",
  "long text": "x".repeat(20_000),
  integer: 42,
  zero: 0,
  negative: -1,
  "largest integer": Number.MAX_SAFE_INTEGER,
  "smallest integer": Number.MIN_SAFE_INTEGER,
  fraction: 0.1,
  "tiny fraction": 5e-324,
  yes: true,
  no: false,
  bytes: new Uint8Array([0, 127, 128, 255]),
  "no bytes": new Uint8Array(),
  nothing: null,
  texts: ["a", "", "ü"],
  integers: [1, -2, 3],
  fractions: [0.5, -0.25],
  flags: [true, false],
  "no values": [],
  mixed: ["a", 1, 0.5, true, null, new Uint8Array([1]), ["nested"], { key: "value" }],
  map: { text: "a", number: 1, deeper: { list: [1, { deepest: true }] } },
  "empty map": {},
  "schlüssel.🔑": "key",
};

const REMOTE_PARENT = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: TraceFlags.SAMPLED,
  traceState: createTraceState("vendor=a:b;c,rojo=00f067aa0ba902b7"),
  isRemote: true,
};

const LINKS: readonly Link[] = [
  { context: REMOTE_PARENT, attributes: EVERY_TYPE },
  {
    context: {
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "00f067aa0ba902b7",
      traceFlags: TraceFlags.NONE,
      isRemote: false,
    },
  },
];

/** Nine spans of two services, in a trace of its own. */
export function makeWholeSpans(): ReadableSpan[] {
  const orders = collectSpans(useEverything, {
    resource: resourceFromAttributes(
      { "service.name": "orders", ...EVERY_TYPE },
      { schemaUrl: "https://opentelemetry.io/schemas/1.43.0" },
    ),
  });
  const limited = collectSpans(exceedLimits, {
    resource: resourceFromAttributes({ "service.name": "limited" }),
    spanLimits: {
      attributeCountLimit: 2,
      eventCountLimit: 1,
      linkCountLimit: 1,
      attributePerEventCountLimit: 1,
      attributePerLinkCountLimit: 1,
      attributeValueLengthLimit: 4,
    },
  });
  return [...orders, ...limited];
}

function useEverything(provider: TracerProvider): void {
  const tracer = provider.getTracer("orders", "1.2.3", {
    schemaUrl: "https://opentelemetry.io/schemas/1.30.0",
  });
  const remote = trace.setSpanContext(ROOT_CONTEXT, REMOTE_PARENT);
  const root = tracer.startSpan(
    "POST /orders/{größe}",
    {
      kind: SpanKind.SERVER,
      startTime: [1_795_000_000, 123_456_789],
      attributes: EVERY_TYPE,
      links: [...LINKS],
    },
    remote,
  );
  root.addEvent("empty");
  root.addEvent("with everything", EVERY_TYPE, [1_795_000_000, 999_999_999]);
  root.recordException(new TypeError("bad order"));
  root.setStatus({ code: SpanStatusCode.ERROR, message: "größe fehlt" });
  const inRoot = trace.setSpan(ROOT_CONTEXT, root);
  const unversioned = provider.getTracer("");
  for (const kind of [
    SpanKind.INTERNAL,
    SpanKind.SERVER,
    SpanKind.CLIENT,
    SpanKind.PRODUCER,
    SpanKind.CONSUMER,
  ]) {
    const child = unversioned.startSpan(`kind ${kind}`, { kind }, inRoot);
    if (kind === SpanKind.CLIENT) child.setStatus({ code: SpanStatusCode.OK });
    child.end();
  }
  tracer.startSpan("", {}, inRoot).end();
  root.end([1_795_000_001, 1]);
}

function exceedLimits(provider: TracerProvider): void {
  const remote = trace.setSpanContext(ROOT_CONTEXT, REMOTE_PARENT);
  const span = provider.getTracer("limited").startSpan("too much", {}, remote);
  span.setAttributes({ one: "12345", two: 2, three: 3 });
  for (const link of LINKS) span.addLink({ ...link, attributes: { one: 1, two: 2 } });
  span.addEvent("first", { one: 1, two: 2 });
  span.addEvent("second", { one: 1, two: 2 });
  span.end();
}
