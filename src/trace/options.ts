/** What one `withTracing` call may choose. */
import type { Attributes, Span } from "@opentelemetry/api";
import type { LambdaContext } from "../lambda/types.ts";
import type { PayloadOptions } from "./payload.ts";
import type { InboundPolicy, RecordParent } from "./settings.ts";

/** Any Lambda handler: buffered, streaming or callback style. */
// biome-ignore lint/suspicious/noExplicitAny: a parameter type that every handler's is assignable to; `never` loses inference
export type AnyHandler = (...args: any[]) => unknown;

/** A span name, or how to make it; one that throws or returns no string falls back to the default. */
export type SpanName<Args extends unknown[]> = string | ((...args: Args) => string);

/** Names of the spans coldspan makes; each one left out keeps its default. */
export interface SpanNames {
  /** SERVER span. Default: the function's name, or `{method} {route}` for HTTP events. */
  readonly invocation?: SpanName<[event: unknown, context: LambdaContext]>;
  /** Cold-start span. Default: `init`. */
  readonly init?: SpanName<[]>;
  /** CONSUMER span of one record. Default: `process {queue}`. */
  readonly record?: SpanName<[record: unknown, event: unknown]>;
  /** CONSUMER span of a batch. Default: `process {queue}`. */
  readonly batch?: SpanName<[event: unknown]>;
}

/** Options of one `withTracing` call; they win over the environment. */
export interface TracingOptions {
  readonly names?: SpanNames;
  /**
   * Where a record span hangs. `producer` (default; env `COLDSPAN_RECORD_PARENT`): in the message's
   * own trace, with a link to the batch span. `batch`: under the batch span, with a link to the producer.
   */
  readonly recordParent?: RecordParent;
  /** What becomes of the caller's context. Default `parent`; env `COLDSPAN_INBOUND_CONTEXT`. */
  readonly inboundContext?: InboundPolicy;
  /** Set on every invocation span. */
  readonly attributes?: Attributes;
  /** What of event and answer the invocation span shows. Default: nothing. */
  readonly payloads?: PayloadOptions;
  /** Called when the invocation span has started, before the handler; what it throws is logged once. */
  readonly onInvocation?: (span: Span, event: unknown, context: LambdaContext) => void;
  /** Called with what the handler returned, before the span ends; what it throws is logged once. */
  readonly onResponse?: (span: Span, result: unknown) => void;
}
