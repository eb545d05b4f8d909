/** Spans made by the real SDK, for tests of what carries them. */
import {
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { type ReadableSpan, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";

export const REMOTE = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
};

/** A root with one child that carries everything OTLP can say about a span. */
export function makeSpans(): ReadableSpan[] {
  return collectSpans((startSpan) => {
    const root = startSpan("orders", SpanKind.SERVER);
    const child = startSpan("process orders", SpanKind.CONSUMER, root);
    child.setAttributes({
      text: "größe",
      count: 3,
      big: 2 ** 52,
      ratio: 0.5,
      ok: true,
      list: ["a", "b"],
    });
    child.addLink({ context: REMOTE, attributes: { "messaging.message.id": "m-1" } });
    child.addEvent("retry", { attempt: 2 });
    child.recordException(new TypeError("bad order"));
    child.setStatus({ code: SpanStatusCode.ERROR, message: "bad order" });
    child.end();
    root.end();
  });
}

/** `count` root spans of one trace each. */
export function makeManySpans(count: number, name = "many"): ReadableSpan[] {
  return collectSpans((startSpan) => {
    for (let n = 0; n < count; n++) startSpan(`${name} ${n}`, SpanKind.INTERNAL).end();
  });
}

/** Hands spans to an exporter once; rejects with the exporter's error. */
export function exportOnce(exporter: SpanExporter, spans: ReadableSpan[]): Promise<void> {
  return new Promise((resolve, reject) => {
    exporter.export(spans, ({ error, code }) => {
      if (code === 0) resolve();
      else reject(error ?? new Error("the export failed without an error"));
    });
  });
}

type StartSpan = (name: string, kind: SpanKind, parent?: Span) => Span;

function collectSpans(use: (startSpan: StartSpan) => void): ReadableSpan[] {
  const spans: ReadableSpan[] = [];
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": "shop",
      "aws.log.group.names": ["/a", "/b"],
    }),
    spanProcessors: [
      {
        onStart: () => {},
        onEnd: (span) => spans.push(span),
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  });
  const tracer = provider.getTracer("sample", "1.2.3");
  use((name, kind, parent) => {
    const ctx = parent === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, parent);
    return tracer.startSpan(name, { kind }, ctx);
  });
  return spans;
}
