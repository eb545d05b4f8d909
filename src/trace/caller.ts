/** Who invoked the function: the context that came with the event, after policy. */
import { type Context, context, type Link, trace } from "@opentelemetry/api";
import type { LambdaContext } from "../lambda/types.ts";
import type { Lifecycle } from "../seam.ts";
import { carrierFromClientContext } from "./carriers.ts";
import type { InboundPolicy } from "./settings.ts";
import type { Carrier, EventDescription } from "./source.ts";
import { setXRayHeader } from "./x-ray-header.ts";

const NO_CARRIER: Carrier = {};

export interface Caller {
  /** What the invocation span is started in. */
  readonly context: Context;
  readonly links: Link[];
}

/** Reads the caller's context; a handler called inside another span of this process keeps that parent. */
export function readCaller(
  lifecycle: Lifecycle,
  policy: InboundPolicy,
  description: EventDescription,
  lambda: LambdaContext,
): Caller {
  // Under any policy: what goes out must carry Lambda's count of hops, or nothing stops a loop.
  const base = setXRayHeader(context.active(), lambda);
  if (policy === "ignore") return { context: base, links: [] };
  const carrier =
    description.carrier ?? carrierFromClientContext(lambda.clientContext) ?? NO_CARRIER;
  const extracted = lifecycle.extract(base, carrier);
  if (policy === "parent") return { context: extracted, links: [] };
  const caller = trace.getSpanContext(extracted);
  return { context: base, links: caller === undefined ? [] : [{ context: caller }] };
}
