/** Starts an invocation: its span under its caller's, the init span of a cold start, its batches. */
import { type Context, SpanKind } from "@opentelemetry/api";
import { warnOnce } from "../diag.ts";
import type { LambdaContext } from "../lambda/types.ts";
import { startBatches } from "./batches.ts";
import { readCaller } from "./caller.ts";
import { anchorClock, type Clock } from "./clock.ts";
import { inDialect } from "./dialect.ts";
import type { HandlerSetup } from "./handler-setup.ts";
import { Invocation } from "./invocation.ts";
import { invocationAttributes } from "./lambda-attributes.ts";
import { resolveName } from "./names.ts";
import { COLDSPAN_EVENT_SOURCE, COLDSPAN_REQUEST_PAYLOAD } from "./semconv.ts";
import { text } from "./shape.ts";
import { describeEvent } from "./sources.ts";

const NO_CONTEXT: LambdaContext = {};
/** As a `performance.now()` reading. */
const PROCESS_START = 0;

/** How an invocation is begun; `undefined` when telemetry failed and the handler runs untraced. */
export type StartInvocation = (event: unknown, lambda: unknown) => Invocation | undefined;

export function createStarter(setup: HandlerSetup): StartInvocation {
  return (event, lambda) => {
    try {
      return startInvocation(setup, event, isContext(lambda) ? lambda : NO_CONTEXT);
    } catch (error) {
      warnOnce("invocation.start", `this invocation runs untraced: ${String(error)}`);
      return undefined;
    }
  };
}

function isContext(lambda: unknown): lambda is LambdaContext {
  return typeof lambda === "object" && lambda !== null;
}

function startInvocation(setup: HandlerSetup, event: unknown, lambda: LambdaContext): Invocation {
  const { lifecycle, options } = setup;
  const clock = anchorClock();
  const startTime = performance.now();
  const startedAtMs = Date.now();
  const { source, description, failure } = describeEvent(event);
  if (failure !== undefined) {
    warnOnce("source", `an event could not be described: ${String(failure)}`);
  }
  const policy = setup.inboundPolicy(source, description.trigger);
  const caller = readCaller(lifecycle, policy, description, lambda);
  const isColdStart = lifecycle.claimColdStart();
  const attributes = inDialect(
    {
      ...invocationAttributes(lambda, description.trigger, isColdStart),
      [COLDSPAN_EVENT_SOURCE]: source,
      ...description.attributes,
      ...options.attributes,
    },
    setup.semconv,
  );
  if (setup.writeRequest !== undefined) {
    attributes[COLDSPAN_REQUEST_PAYLOAD] = setup.writeRequest(event);
  }
  const fallbackName = description.spanName ?? text(lambda.functionName) ?? lifecycle.functionName;
  const span = lifecycle.tracer.startSpan(
    resolveName("invocation", options.names?.invocation, fallbackName, event, lambda),
    { kind: SpanKind.SERVER, attributes, links: caller.links, startTime: clock(startTime) },
    caller.context,
  );
  const invocation = new Invocation({
    setup,
    description,
    span,
    clock,
    outer: caller.context,
    deadlineMs: deadlineOf(lambda, startedAtMs),
  });
  const { context } = invocation;
  if (isColdStart) recordInit(setup, context, clock);
  invocation.follow(
    startBatches(setup, event, description, policy, { context, clock, startTime, startedAtMs }),
  );
  lifecycle.invocationStarted(invocation);
  try {
    options.onInvocation?.(span, event, lambda);
  } catch (error) {
    warnOnce("onInvocation", `the onInvocation hook threw ${String(error)}`);
  }
  return invocation;
}

/** The span of all that came before the first invocation: process start to handler loaded. */
function recordInit(setup: HandlerSetup, parent: Context, clock: Clock): void {
  const name = resolveName("init", setup.options.names?.init, "init");
  setup.lifecycle.tracer
    .startSpan(name, { kind: SpanKind.INTERNAL, startTime: clock(PROCESS_START) }, parent)
    .end(clock(setup.handlerLoadedAt()));
}

/** Contexts made by tests and by other runtimes may have anything there: what tells no time, tells no deadline. */
function deadlineOf(lambda: LambdaContext, nowMs: number): number {
  try {
    const remainingMs: unknown = lambda.getRemainingTimeInMillis?.();
    if (typeof remainingMs === "number" && Number.isFinite(remainingMs)) return nowMs + remainingMs;
  } catch (error) {
    warnOnce("remaining time", `the context's remaining time could not be read: ${String(error)}`);
  }
  return Number.POSITIVE_INFINITY;
}
