/** The AWS SDK's instrumentation: a file of its own, loaded when an AWS client is. */
import type { TracerProvider } from "@opentelemetry/api";
import { AwsInstrumentation } from "@opentelemetry/instrumentation-aws-sdk";
import type { ModulePatch } from "../module-hook.ts";
import { applyHooks } from "./module-hooks.ts";

/** Starts it; the answer patches one loaded module. */
export function instrument(provider: TracerProvider): ModulePatch {
  new AwsInstrumentation().setTracerProvider(provider);
  return applyHooks;
}
