/**
 * The one slot in which the wrapper (`trace/`) and the SDK (`init`) meet, whatever was loaded how:
 * ES module or CommonJS, the image's copy or an installed one, this version or another.
 */
import type { Context, Tracer } from "@opentelemetry/api";
import type { TelemetryStats } from "./sdk/telemetry-stats.ts";
import type { TraceConfig } from "./trace/settings.ts";

/** Bump when a field of {@link Lifecycle} changes meaning; copies of different numbers stay apart. */
const SLOT: unique symbol = Symbol.for("coldspan.seam.v1") as never;

/** One invocation as the flush engine sees it. */
export interface InvocationSpan {
  /** Unix time in ms at which Lambda ends the invocation; `Infinity` when it never does. */
  readonly deadlineMs: number;
  /** Called when it will not end of itself (timeout, exit, crash): ends its open spans as failed. */
  abort(errorType: string, message: string): void;
}

/** What a started SDK offers to the wrapper. */
export interface Lifecycle {
  readonly tracer: Tracer;
  /** The function's name, for handlers called without a Lambda context. */
  readonly functionName: string;
  /**
   * True once: for the first invocation of this environment. Never on provisioned concurrency or
   * SnapStart, where init is no part of an invocation.
   */
  claimColdStart(): boolean;
  /** Tells the flush engine that an invocation runs; arms the deadline guard. */
  invocationStarted(invocation: InvocationSpan): void;
  /**
   * Tells the flush engine that the invocation's spans have ended.
   * A promise means: the caller waits for it (never rejects); `undefined`: return at once.
   */
  invocationEnded(invocation: InvocationSpan): Promise<void> | undefined;
  readonly settings: TraceConfig;
  /** Reads the caller's context with the configured propagators; carrier keys are in lower case. */
  extract(base: Context, carrier: Readonly<Record<string, string>>): Context;
  /** Reads a message's own context, as {@link extract} does on an empty base. */
  extractMessage(carrier: Readonly<Record<string, string>>): Context;
  /** Reads X-Ray's header of a message, whatever propagators are configured; `base` without one. */
  extractTraceHeader(base: Context, carrier: Readonly<Record<string, string>>): Context;
  /** Sends what is buffered; resolves when it is sent or the flush bound is over. Never rejects. */
  flush(timeoutMs?: number): Promise<void>;
  stats(): TelemetryStats;
}

interface Seam {
  /** Undefined until the SDK started; `null` when it is disabled or failed to start. */
  lifecycle?: Lifecycle | null;
  /** Starts the SDK on first use; put here by whichever door was loaded first. */
  start?: () => void;
}

function seam(): Seam {
  const host = globalThis as { [SLOT]?: Seam };
  host[SLOT] ??= {};
  return host[SLOT];
}

/** Offers a way to start the SDK; the first offer wins. */
export function offerStart(start: () => void): void {
  seam().start ??= start;
}

/** Fills the slot: `null` when the function is to run untraced. */
export function setLifecycle(lifecycle: Lifecycle | null): void {
  seam().lifecycle = lifecycle;
}

/** True when some copy of coldspan has started, or decided not to trace. */
export function isStarted(): boolean {
  return seam().lifecycle !== undefined;
}

/** The running SDK, started now when it was not; `null` when the function is to run untraced. */
export function useLifecycle(): Lifecycle | null {
  const slot = seam();
  if (slot.lifecycle === undefined) slot.start?.();
  return slot.lifecycle ?? null;
}
