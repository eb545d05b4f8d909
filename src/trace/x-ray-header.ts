/** Where X-Ray's propagators find the platform's trace header of this very invocation. */
import type { Context } from "@opentelemetry/api";
import type { LambdaContext } from "../lambda/types.ts";

const KEY: symbol = Symbol.for("coldspan.x-ray-header.v1");

interface InvokeStore {
  getXRayTraceId?(): unknown;
}

/**
 * Puts the invocation's header into the context: from the Lambda context, else from the runtime's
 * InvokeStore. The environment variable is the propagator's own last resort: with several
 * invocations in one process it would name the wrong one.
 */
export function setXRayHeader(base: Context, lambda: LambdaContext): Context {
  const header = lambda.xRayTraceId || fromInvokeStore();
  return typeof header === "string" && header !== "" ? base.setValue(KEY, header) : base;
}

export function getXRayHeader(context: Context): string | undefined {
  return context.getValue(KEY) as string | undefined;
}

function fromInvokeStore(): unknown {
  const host = globalThis as { awslambda?: { InvokeStore?: InvokeStore } };
  return host.awslambda?.InvokeStore?.getXRayTraceId?.();
}
