/** A user's own exporter object as a destination: it gets the spans themselves, and encodes and sends alone. */
import { ExportResultCode } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Destination, ExportRequest, SendOutcome } from "./destination.ts";
import { within } from "./within.ts";

/**
 * A failed export is final, as the specification of exporters has it: what can be retried, they retried.
 * One without a result in time is tried again: it may double spans, it does not lose them.
 */
export function createExporterDestination(exporter: SpanExporter): Destination {
  return {
    name: exporter.constructor.name,
    maxRequestBytes: Number.POSITIVE_INFINITY,
    encode: (spans) => ({ spans, byteLength: 0 }),
    send: (request, timeoutMs) => send(exporter, request, timeoutMs),
    shutdown: () => {
      // Its failure changes nothing any more.
      callShutdown(exporter).catch(() => undefined);
    },
  };
}

function send(
  exporter: SpanExporter,
  request: ExportRequest,
  timeoutMs: number,
): Promise<SendOutcome> {
  const spans = request instanceof Uint8Array ? [] : [...request.spans];
  const exporting = exportAll(exporter, spans).then(
    (): SendOutcome => ({ status: "success" }),
    (error: Error): SendOutcome => ({ status: "failure", error }),
  );
  return within(exporting, timeoutMs, "result from the exporter").catch(
    (error: Error): SendOutcome => ({ status: "retryable", error, answerLost: true }),
  );
}

async function exportAll(exporter: SpanExporter, spans: ReadableSpan[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    exporter.export(spans, ({ code, error }) => {
      if (code === ExportResultCode.SUCCESS) resolve();
      else reject(error ?? new Error("The exporter failed without saying why"));
    });
  });
  // It may have buffered them; the process may be frozen next.
  await exporter.forceFlush?.();
}

async function callShutdown(exporter: SpanExporter): Promise<void> {
  await exporter.shutdown();
}
