/** What a message's producer sent along. */
import { type Context, type SpanContext, TraceFlags, trace } from "@opentelemetry/api";
import type { Lifecycle } from "../seam.ts";
import type { InboundPolicy } from "./settings.ts";
import type { Carrier } from "./source.ts";

export interface Sent {
  /** Undefined when there is nothing, or nothing that policy takes. */
  readonly context: Context | undefined;
  /** The span to link to. */
  readonly producer: SpanContext | undefined;
  /** Whether that span may be continued: by policy, and because somebody traced it. */
  readonly isParent: boolean;
}

export type ReadSent = (carrier: Carrier) => Sent;

export const NOTHING_SENT: Sent = { context: undefined, producer: undefined, isParent: false };

/**
 * Reads with the configured propagators; where they find no span, X-Ray's header is read too
 * (semantic conventions, AWS Lambda: SQS). Lambda puts that header on whatever a function sends, with
 * `Sampled=0` when nobody traces: no sampling decision of anybody's, and no span that exists anywhere.
 */
export function createSentReader(lifecycle: Lifecycle, policy: InboundPolicy): ReadSent {
  if (policy === "ignore") return () => NOTHING_SENT;
  const isTrusted = policy === "parent";
  return (carrier) => {
    const context = lifecycle.extractMessage(carrier);
    const producer = trace.getSpanContext(context);
    if (producer !== undefined) return { context, producer, isParent: isTrusted };
    const traced = lifecycle.extractTraceHeader(context, carrier);
    const segment = trace.getSpanContext(traced);
    const isSampled = segment !== undefined && (segment.traceFlags & TraceFlags.SAMPLED) !== 0;
    return { context: traced, producer: segment, isParent: isTrusted && isSampled };
  };
}
