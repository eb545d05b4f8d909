/** What is decided once per handler, when it is wrapped: nothing of it is looked up per invocation. */
import type { Lifecycle } from "../seam.ts";
import type { TracingOptions } from "./options.ts";
import { createPayloadWriter, type PayloadWriter } from "./payload.ts";
import type { InboundPolicy, RecordParent, SemconvVersion } from "./settings.ts";
import type { TriggerKind } from "./source-names.ts";

export interface HandlerSetup {
  readonly lifecycle: Lifecycle;
  readonly options: TracingOptions;
  readonly recordParent: RecordParent;
  readonly semconv: SemconvVersion;
  readonly writeRequest: PayloadWriter | undefined;
  readonly writeResponse: PayloadWriter | undefined;
  /** What becomes of the caller's context, by source name, else by trigger. */
  inboundPolicy(source: string, trigger: TriggerKind): InboundPolicy;
  /** `performance.now()` when the handler's module had been evaluated. */
  handlerLoadedAt(): number;
}

export function createHandlerSetup(lifecycle: Lifecycle, options: TracingOptions): HandlerSetup {
  const { recordParent, semconv, inboundContext } = lifecycle.settings;
  const { payloads = {} } = options;
  const writePayload = createPayloadWriter(payloads);
  return {
    lifecycle,
    options,
    recordParent: options.recordParent ?? recordParent,
    semconv,
    writeRequest: payloads.request === true ? writePayload : undefined,
    writeResponse: payloads.response === true ? writePayload : undefined,
    inboundPolicy: (source, trigger) =>
      options.inboundContext ??
      inboundContext.bySource[source] ??
      inboundContext.bySource[trigger] ??
      inboundContext.default,
    handlerLoadedAt: noteHandlerLoaded(),
  };
}

/** Microtasks run when the module that wraps the handler, and those importing it, are evaluated. */
function noteHandlerLoaded(): () => number {
  let loadedAt: number | undefined;
  queueMicrotask(() => {
    loadedAt = performance.now();
  });
  return () => loadedAt ?? performance.now();
}
