/** The configured sampler (specification: trace/sdk.md, built-in samplers). */
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import type { Config } from "../config.ts";

const PARENT_BASED = "parentbased_";

/** The sampler of that name, or the user's own. */
export function createSampler(sampler: Config["sampler"]): Sampler {
  if ("shouldSample" in sampler) return sampler;
  const { name, ratio } = sampler;
  if (!name.startsWith(PARENT_BASED)) return createRootSampler(name, ratio);
  return new ParentBasedSampler({
    root: createRootSampler(name.slice(PARENT_BASED.length), ratio),
  });
}

function createRootSampler(name: string, ratio: number): Sampler {
  if (name === "always_off") return new AlwaysOffSampler();
  if (name === "traceidratio") return new TraceIdRatioBasedSampler(ratio);
  return new AlwaysOnSampler();
}
