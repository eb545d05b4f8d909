/**
 * The one slot in which the wrapper (`trace/`) and the SDK (`init`) meet, whatever was loaded how:
 * ES module or CommonJS, the image's copy or an installed one, this version or another.
 */
import type { Context, Tracer } from "@opentelemetry/api";

/** Bump when a field of {@link Lifecycle} changes meaning; copies of different numbers stay apart. */
const SLOT: unique symbol = Symbol.for("coldspan.seam.v1") as never;

/** One invocation as the flush engine sees it. */
export interface InvocationSpan {
  /** Unix time in ms at which Lambda ends the invocation; `Infinity` when it never does. */
  readonly deadlineMs: number;
  /** Called near the deadline, before the guard flushes: ends the open spans as timed out. */
  onTimeout(): void;
}

/** What a started SDK offers to the wrapper. */
export interface Lifecycle {
  readonly tracer: Tracer;
  /** Unix time in ms at which the process started. */
  readonly processStartMs: number;
  /** False on provisioned concurrency and SnapStart: their init is not part of an invocation. */
  readonly coldStart: boolean;
  /** Tells the flush engine that an invocation runs; arms the deadline guard. */
  invocationStarted(invocation: InvocationSpan): void;
  /**
   * Tells the flush engine that the invocation's spans have ended.
   * A promise means: the caller waits for it (never rejects); `undefined`: return at once.
   */
  invocationEnded(invocation: InvocationSpan): Promise<void> | undefined;
  /** Extracts a remote context from a carrier of lower-case keys with the configured propagators. */
  extract(carrier: Readonly<Record<string, string>>): Context;
  /** Sends what is buffered; resolves when it is sent or the flush bound is over. Never rejects. */
  flush(timeoutMs?: number): Promise<void>;
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
