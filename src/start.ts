/** Starts the SDK: config → provider → globals → seam. Everything of cold start is composed here. */
import { ROOT_CONTEXT, type TextMapGetter } from "@opentelemetry/api";
import { type Config, readTraceHeader, resolveConfig } from "./config.ts";
import { installDiagLogger, reportError, warnOnce, warnWithFields } from "./diag.ts";
import { createDestination } from "./export/destinations.ts";
import { estimateSpanBytes } from "./export/span-size.ts";
import { registerForInvocations } from "./lambda/extension.ts";
import { watchProcessEnd } from "./lambda/process-end.ts";
import { responsePosted } from "./lambda/response-posted.ts";
import { followSigterm, relaySigterm } from "./lambda/sigterm-relay.ts";
import { FileSpool } from "./lambda/spool.ts";
import type { InitOptions } from "./options.ts";
import { createFlushEngine, type FlushEngine } from "./sdk/engine.ts";
import { watchLibraries } from "./sdk/instrumentations.ts";
import { createPropagators } from "./sdk/propagators.ts";
import { createProvider, registerGlobals } from "./sdk/provider.ts";
import { rehearse } from "./sdk/rehearsal.ts";
import { XrayPropagator } from "./sdk/xray-propagators.ts";
import { isStarted, type Lifecycle, setLifecycle } from "./seam.ts";
import type { Carrier } from "./trace/source.ts";
import { VERSION } from "./version.ts";

/** `AWS_LAMBDA_INITIALIZATION_TYPE` of an environment whose init is part of its first invocation. */
const ON_DEMAND = "on-demand";

/**
 * Starts tracing: provider, propagators, exporters and instrumentations, from the standard `OTEL_*`
 * variables and these options; options win.
 *
 * Call it before the first `withTracing` to pass options; without options `withTracing` does it.
 * Only the first call of a process counts. Never throws: a value that cannot be used is named in a
 * warning and replaced by its default, and with a configuration that cannot work the function runs
 * untraced.
 *
 * @example
 * ```ts
 * import { init, withTracing } from "coldspan";
 *
 * init({ serviceName: "orders" });
 * export const handler = withTracing(async () => "done");
 * ```
 */
export function init(options: InitOptions = {}): void {
  if (isStarted()) return;
  try {
    const { config, warnings } = resolveConfig(undefined, options);
    installDiagLogger(config.logLevel, config.lambda.jsonLogs);
    for (const warning of warnings) warnOnce(warning, warning);
    setLifecycle(config.enabled ? startSdk(config) : null);
  } catch (error) {
    setLifecycle(null);
    reportError("tracing could not start; the function runs untraced", error);
  }
}

function startSdk(config: Config): Lifecycle {
  const engine = startEngine(config);
  const provider = createProvider(config, engine.spanProcessor);
  const { carrier: carrierPropagator, invocation: invocationPropagator } = createPropagators(
    config.propagators,
    readTraceHeader,
  );
  registerGlobals(provider, carrierPropagator);
  if (config.instrumentations) watchLibraries(provider);
  const xray = new XrayPropagator();
  let isCold = (config.lambda.initializationType ?? ON_DEMAND) === ON_DEMAND;
  return {
    tracer: provider.getTracer("coldspan", VERSION),
    functionName: config.lambda.functionName ?? "function",
    settings: config.trace,
    claimColdStart() {
      const claimed = isCold;
      isCold = false;
      return claimed;
    },
    invocationStarted: (invocation) => engine.invocationStarted(invocation),
    invocationEnded: (invocation) => engine.invocationEnded(invocation),
    extract: (base, carrier) => invocationPropagator.extract(base, carrier, carrierGetter),
    extractMessage: (carrier) => carrierPropagator.extract(ROOT_CONTEXT, carrier, carrierGetter),
    extractTraceHeader: (base, carrier) => xray.extract(base, carrier, carrierGetter),
    flush: (timeoutMs) => engine.flush(timeoutMs),
    stats: () => engine.stats(),
  };
}

/** The flush engine with what Lambda offers it; outside Lambda neither spool nor extension. */
function startEngine({
  flush,
  exporters,
  lambda: { runtimeApi, managedInstances },
}: Config): FlushEngine {
  const atLambda = runtimeApi !== undefined && {
    spool: new FileSpool(flush.spoolDirectory),
    extension: {
      register: (hold: () => Promise<void>, onLost: () => void) =>
        registerForInvocations(runtimeApi, hold, onLost),
      responsePosted,
    },
  };
  const engine = createFlushEngine({
    config: flush,
    loadDestinations: async () => {
      const destinations = await Promise.all(exporters.map(createDestination));
      // With after-return they are loaded when the first spans are waiting for them.
      if (flush.mode !== "after-return") rehearse(destinations);
      return destinations;
    },
    estimateSpanBytes,
    warn: warnWithFields,
    ...atLambda,
  });
  // On Managed Instances handlers run in worker threads, and signals reach the main thread only.
  if (managedInstances && process.getBuiltinModule("node:worker_threads").isMainThread) {
    relaySigterm();
    return engine;
  }
  if (runtimeApi !== undefined && exporters.length > 0) watchProcessEnd(engine);
  if (managedInstances) followSigterm(engine);
  return engine;
}

/** Carriers made by `trace/` hold plain strings under lower-case keys, as propagators ask for them. */
const carrierGetter: TextMapGetter<Carrier> = {
  keys: (carrier) => Object.keys(carrier),
  get: (carrier, key) => carrier[key],
};
