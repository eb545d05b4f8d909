/** Acts for invocations that will not end of themselves before Lambda ends them. */
import type { InvocationSpan } from "../seam.ts";
import type { Clock } from "./clock.ts";

/** Timers may fire this much early against the wall clock. */
const TOLERANCE_MS = 2;

export interface DeadlineGuardOptions {
  /** How long before the deadline to act; at most half of the time an invocation has. */
  readonly marginMs: number;
  readonly clock: Clock;
  /** Called once for an invocation that still runs then. */
  readonly onDue: (invocation: InvocationSpan) => void;
}

export class DeadlineGuard {
  readonly #options: DeadlineGuardOptions;
  readonly #timers = new Map<InvocationSpan, () => void>();

  constructor(options: DeadlineGuardOptions) {
    this.#options = options;
  }

  /** Watches an invocation. One without a deadline, or past it already, is none that Lambda ends in time. */
  arm(invocation: InvocationSpan): void {
    const { clock, marginMs } = this.#options;
    const leftMs = invocation.deadlineMs - clock.wallMs();
    if (!Number.isFinite(leftMs) || leftMs <= 0) return;
    this.#arm(invocation, Math.min(marginMs, leftMs / 2));
  }

  /** The invocation has ended. */
  disarm(invocation: InvocationSpan): void {
    this.#timers.get(invocation)?.();
    this.#timers.delete(invocation);
  }

  #arm(invocation: InvocationSpan, marginMs: number): void {
    const { clock } = this.#options;
    const delayMs = invocation.deadlineMs - marginMs - clock.wallMs();
    const fire = (): void => this.#fire(invocation, marginMs);
    this.#timers.set(invocation, clock.after(delayMs, fire));
  }

  #fire(invocation: InvocationSpan, marginMs: number): void {
    const leftMs = invocation.deadlineMs - this.#options.clock.wallMs();
    if (leftMs > marginMs + TOLERANCE_MS) {
      // The wall clock was set back, or the delay was longer than a timer can be.
      this.#arm(invocation, marginMs);
      return;
    }
    this.#timers.delete(invocation);
    this.#options.onDue(invocation);
  }
}
