/**
 * OpenTelemetry tracing for AWS Lambda functions that ship as container images.
 *
 * @example
 * ```ts
 * import { withTracing } from "coldspan";
 *
 * export const handler = withTracing(async (event: unknown) => ({ statusCode: 200 }));
 * ```
 * @module
 */
import { offerStart } from "./seam.ts";
import { init } from "./start.ts";

// `withTracing` starts the SDK on first use without knowing it.
offerStart(init);

export type { InitOptions, OtlpOptions } from "./options.ts";
export type { DestinationStats, DroppedStats, TelemetryStats } from "./sdk/telemetry-stats.ts";
export { flush, telemetryStats } from "./telemetry.ts";
export { addMetadata, annotate } from "./trace/annotations.ts";
export { withTracing } from "./trace/handler.ts";
export type { AnyHandler, SpanName, SpanNames, TracingOptions } from "./trace/options.ts";
export type { PayloadOptions } from "./trace/payload.ts";
export { type ProcessRecordsOptions, processRecords } from "./trace/process-records.ts";
export type {
  BatchResponse,
  IdentifierOf,
  KafkaItemIdentifier,
  RecordOf,
  RecordsEvent,
} from "./trace/records-event.ts";
export type { InboundPolicy, RecordParent } from "./trace/settings.ts";
export { init };
