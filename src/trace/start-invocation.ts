/** Makes an invocation's spans from its event: the parent it has, the batches it delivers. */
import { type Context, context, type Link, type Span, SpanKind, trace } from "@opentelemetry/api";
import { warnOnce } from "../diag.ts";
import type { LambdaContext } from "../lambda/types.ts";
import type { Lifecycle } from "../seam.ts";
import { BatchSpan } from "./batch-span.ts";
import { carrierFromClientContext } from "./carriers.ts";
import { anchorClock, type Clock } from "./clock.ts";
import { inDialect } from "./dialect.ts";
import { Invocation } from "./invocation.ts";
import { invocationAttributes } from "./lambda-attributes.ts";
import { watchLoops } from "./loops.ts";
import { processName, resolveName } from "./names.ts";
import type { TracingOptions } from "./options.ts";
import type { InboundPolicy } from "./settings.ts";
import type { Carrier, EventDescription, TriggerKind } from "./source.ts";
import { describeEvent } from "./sources.ts";
import { setXRayHeader } from "./x-ray-header.ts";

const NO_CONTEXT: LambdaContext = {};
const NO_CARRIER: Carrier = {};
/** As a `performance.now()` reading. */
const PROCESS_START = 0;

/** Starts invocations of one handler; what never changes between two of them is decided here. */
export function createStarter(
  lifecycle: Lifecycle,
  options: TracingOptions,
): (event: unknown, lambda: unknown) => Invocation | undefined {
  const handlerLoaded = noteHandlerLoaded();
  return (event, lambda) => {
    try {
      return startInvocation(lifecycle, options, event, asLambdaContext(lambda), handlerLoaded());
    } catch (error) {
      warnOnce("invocation.start", `this invocation runs untraced: ${String(error)}`);
      return undefined;
    }
  };
}

/** `performance.now()` when the handler's module had been evaluated: microtasks run after it. */
function noteHandlerLoaded(): () => number {
  let loadedAt: number | undefined;
  queueMicrotask(() => {
    loadedAt = performance.now();
  });
  return () => loadedAt ?? performance.now();
}

function asLambdaContext(lambda: unknown): LambdaContext {
  return typeof lambda === "object" && lambda !== null ? lambda : NO_CONTEXT;
}

function startInvocation(
  lifecycle: Lifecycle,
  options: TracingOptions,
  event: unknown,
  lambda: LambdaContext,
  handlerLoadedAt: number,
): Invocation {
  const clock = anchorClock();
  const startTime = performance.now();
  const startedAtMs = Date.now();
  const { source, description } = describeEvent(event);
  const inbound = inboundPolicy(lifecycle, options, source, description.trigger);
  const caller = readCaller(lifecycle, inbound, description, lambda);
  const isColdStart = lifecycle.claimColdStart();
  const fallbackName = description.spanName ?? lambda.functionName ?? lifecycle.functionName;
  const span = lifecycle.tracer.startSpan(
    resolveName("invocation", options.names?.invocation, fallbackName, event, lambda),
    {
      kind: SpanKind.SERVER,
      attributes: inDialect(
        {
          ...invocationAttributes(lambda, description.trigger, isColdStart),
          ...description.attributes,
          ...options.attributes,
        },
        lifecycle.settings.semconv,
      ),
      links: caller.links,
      startTime: clock(startTime),
    },
    caller.context,
  );
  const invocation = new Invocation({
    lifecycle,
    options,
    description,
    span,
    clock,
    outer: caller.context,
    deadlineMs: deadlineOf(lambda, startedAtMs),
  });
  if (isColdStart) recordInit(lifecycle, options, invocation.context, clock, handlerLoadedAt);
  invocation.follow(
    startBatches(lifecycle, options, event, description, inbound, {
      context: invocation.context,
      clock,
      startTime,
      startedAtMs,
    }),
  );
  lifecycle.invocationStarted(invocation);
  runHook(options, span, event, lambda);
  return invocation;
}

function inboundPolicy(
  lifecycle: Lifecycle,
  options: TracingOptions,
  source: string,
  trigger: TriggerKind,
): InboundPolicy {
  const { default: fallback, bySource } = lifecycle.settings.inboundContext;
  return options.inboundContext ?? bySource[source] ?? bySource[trigger] ?? fallback;
}

/** The context to start in: a handler called inside another span of this process keeps that parent. */
function readCaller(
  lifecycle: Lifecycle,
  inbound: InboundPolicy,
  description: EventDescription,
  lambda: LambdaContext,
): { context: Context; links: Link[] } {
  const base = context.active();
  if (inbound === "ignore") return { context: base, links: [] };
  const carrier =
    description.carrier ?? carrierFromClientContext(lambda.clientContext) ?? NO_CARRIER;
  const extracted = lifecycle.extract(setXRayHeader(base, lambda), carrier);
  if (inbound === "parent") return { context: extracted, links: [] };
  const caller = trace.getSpanContext(extracted);
  return { context: base, links: caller === undefined ? [] : [{ context: caller }] };
}

/** The span of everything before the first invocation: process start to handler loaded. */
function recordInit(
  lifecycle: Lifecycle,
  options: TracingOptions,
  parent: Context,
  clock: Clock,
  handlerLoadedAt: number,
): void {
  lifecycle.tracer
    .startSpan(
      resolveName("init", options.names?.init, "init"),
      { kind: SpanKind.INTERNAL, startTime: clock(PROCESS_START) },
      parent,
    )
    .end(clock(handlerLoadedAt));
}

function startBatches(
  lifecycle: Lifecycle,
  options: TracingOptions,
  event: unknown,
  description: EventDescription,
  inbound: InboundPolicy,
  at: { context: Context; clock: Clock; startTime: number; startedAtMs: number },
): BatchSpan[] {
  const { names } = options;
  const batches = (description.batches ?? []).map((batch) => {
    const fallbackName = processName(batch);
    return new BatchSpan(batch, {
      ...at,
      lifecycle,
      recordParent: options.recordParent ?? lifecycle.settings.recordParent,
      inbound,
      batchName: resolveName("batch", names?.batch, fallbackName, event),
      nameRecord: (record) => resolveName("record", names?.record, fallbackName, record, event),
    });
  });
  watchBatches(batches);
  return batches;
}

/** Batches may share an array: each array is watched once and asks every batch. */
function watchBatches(batches: readonly BatchSpan[]): void {
  for (const records of new Set(batches.flatMap((batch) => [...batch.arrays]))) {
    watchLoops(records, (index) => {
      for (const batch of batches) {
        const scope = batch.scopeIn(records, index);
        if (scope !== undefined) return scope;
      }
      return undefined;
    });
  }
}

function deadlineOf(lambda: LambdaContext, nowMs: number): number {
  const remainingMs = lambda.getRemainingTimeInMillis?.();
  return typeof remainingMs === "number" && Number.isFinite(remainingMs)
    ? nowMs + remainingMs
    : Number.POSITIVE_INFINITY;
}

function runHook(options: TracingOptions, span: Span, event: unknown, lambda: LambdaContext): void {
  try {
    options.onInvocation?.(span, event, lambda);
  } catch (error) {
    warnOnce("onInvocation", `the onInvocation hook threw ${String(error)}`);
  }
}
