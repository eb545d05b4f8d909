/** The part of the configuration that concerns the shape of traces. */
import { readChoice, readList, rejectValue, type Settings } from "./environment.ts";
import type { InitOptions } from "./options.ts";
import type { InboundPolicy, TraceConfig } from "./trace/settings.ts";
import { SOURCE_NAMES, TRIGGER_KINDS } from "./trace/source-names.ts";

const INBOUND_POLICIES: readonly InboundPolicy[] = ["parent", "link", "ignore"];
/** A misspelt kind must not pass for a policy: a public endpoint would go on trusting its callers. */
const INBOUND_KINDS: ReadonlySet<string> = new Set(["default", ...TRIGGER_KINDS, ...SOURCE_NAMES]);

export function readTraceConfig(settings: Settings, options: InitOptions): TraceConfig {
  return Object.freeze({
    recordParent: readChoice(settings, "COLDSPAN_RECORD_PARENT", ["producer", "batch"], "producer"),
    semconv: resolveSemconv(settings, options.semconv),
    inboundContext: readInboundContext(settings),
  });
}

/** Both sets of names at once (`…/dup`) would double the cost of every span: the new ones then. */
function resolveSemconv(settings: Settings, chosen: unknown): TraceConfig["semconv"] {
  if (chosen === "1.44" || chosen === "1.45") return chosen;
  if (chosen !== undefined) settings.warn('init option "semconv" is not 1.44 or 1.45; ignored.');
  const domains = readList(settings, "OTEL_SEMCONV_STABILITY_OPT_IN") ?? [];
  return domains.some((domain) => /^(messaging|faas)(\/dup)?$/i.test(domain)) ? "1.45" : "1.44";
}

/** `link`, `http=link,sqs=parent` or `ignore,sqs=parent`: a policy alone is the default. */
function readInboundContext(settings: Settings): TraceConfig["inboundContext"] {
  const name = "COLDSPAN_INBOUND_CONTEXT";
  const byKind: Record<string, InboundPolicy> = {};
  for (const item of readList(settings, name) ?? []) {
    const parts = item
      .toLowerCase()
      .split("=", 2)
      .map((part) => part.trim());
    const [kind = "", value] = parts.length === 1 ? ["default", ...parts] : parts;
    const policy = INBOUND_POLICIES.find((known) => known === value);
    if (policy !== undefined && INBOUND_KINDS.has(kind)) byKind[kind] = policy;
    else {
      const expected = "a policy (parent, link, ignore), or kind=policy of a trigger or source";
      rejectValue(settings, name, { value: item, expected, used: "the default" });
    }
  }
  const { default: fallback = "parent", ...bySource } = byKind;
  return Object.freeze({ default: fallback, bySource: Object.freeze(bySource) });
}
