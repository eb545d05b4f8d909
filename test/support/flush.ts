/** What the flush engine's tests need: real spans, destinations with scripted answers, a clock of their own. */
import { TracerProvider } from "@opentelemetry/sdk-trace";
import type { FlushConfig } from "../../src/config.ts";
import type { Destination, SendOutcome } from "../../src/export/destination.ts";
import type { Clock } from "../../src/sdk/clock.ts";
import {
  createFlushEngine,
  type FlushEngine,
  type FlushEngineOptions,
} from "../../src/sdk/engine.ts";
import type { Loss } from "../../src/sdk/loss-report.ts";
import type { DestinationStats } from "../../src/sdk/telemetry-stats.ts";

export const CONFIG: FlushConfig = {
  mode: "before-return",
  timeoutMs: 4_000,
  deadlineMarginMs: 300,
  intervalMs: 5_000,
  maxChunkSpans: 10,
  maxBufferSpans: 1_000,
  maxBufferBytes: 1_000_000,
  spoolDirectory: "/nowhere",
};

export const SENT: SendOutcome = { status: "success" };
export const UNAVAILABLE: SendOutcome = {
  status: "retryable",
  error: new Error("UNAVAILABLE"),
  answerLost: false,
};
export const LOST: SendOutcome = { ...UNAVAILABLE, answerLost: true };
export const REFUSED: SendOutcome = { status: "failure", error: new Error("INVALID_ARGUMENT") };

export type Script = (
  names: readonly string[],
  timeoutMs: number,
) => SendOutcome | Promise<SendOutcome>;

/** Encodes spans as their names, one a line, and answers as scripted. */
export class ScriptedDestination implements Destination {
  readonly name: string;
  readonly maxRequestBytes: number;
  /** The names in each request, in order of sending. */
  readonly requests: string[][] = [];
  /** The names of spans in requests that were answered with success. */
  readonly taken: string[] = [];
  /** Requests under way now, and at most so far. */
  underWay = 0;
  mostUnderWay = 0;
  wakes = 0;
  isShutdown = false;
  script: Script;

  constructor(script: Script = () => SENT, name = "scripted", maxRequestBytes = 1_000_000) {
    this.script = script;
    this.name = name;
    this.maxRequestBytes = maxRequestBytes;
  }

  encode(spans: readonly { readonly name: string }[]): Uint8Array {
    return Buffer.from(spans.map((span) => span.name).join("\n"));
  }

  async send(request: unknown, timeoutMs: number): Promise<SendOutcome> {
    const names = Buffer.from(request as Uint8Array)
      .toString()
      .split("\n");
    this.requests.push(names);
    this.underWay++;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const outcome = await this.script(names, timeoutMs);
    this.underWay--;
    if (outcome.status === "success") this.taken.push(...names);
    return outcome;
  }

  wake(): void {
    this.wakes++;
  }

  shutdown(): void {
    this.isShutdown = true;
  }
}

export interface TestEngine extends FlushEngine {
  readonly losses: Loss[];
  /** Starts and ends a span of this name for each. */
  end(...names: string[]): void;
  /** Of the only destination. */
  counts(): DestinationStats;
}

export function startEngine(
  destinations: readonly Destination[],
  config: Partial<FlushConfig> = {},
  options: Partial<FlushEngineOptions> = {},
): TestEngine {
  const losses: Loss[] = [];
  const engine = createFlushEngine({
    config: { ...CONFIG, ...config },
    loadDestinations: () => Promise.resolve(destinations),
    estimateSpanBytes: (span) => span.name.length,
    warn: (_message, loss) => losses.push(loss),
    ...options,
  });
  const tracer = new TracerProvider({ spanProcessors: [engine.spanProcessor] }).getTracer("test");
  return Object.assign(engine, {
    losses,
    end: (...names: string[]) => {
      for (const name of names) tracer.startSpan(name).end();
    },
    counts: () => {
      const [stats] = engine.stats().destinations;
      if (stats === undefined) throw new Error("The destinations are not loaded");
      return stats;
    },
  });
}

/** `prefix-0`, `prefix-1`, … */
export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

interface VirtualTimer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that passes only when told to. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<VirtualTimer>();

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  elapsedMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass; due timers fire in order, each followed by all that it sets off. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs);
      const [next] = due.toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settle();
    }
    this.#nowMs = endMs;
  }

  /** A freeze: time jumps, and only then do the timers that fell due fire. */
  async freeze(ms: number): Promise<void> {
    this.#nowMs += ms;
    await this.pass(0);
  }
}

/** Resolves when promise reactions and immediates that are ready now, and what they set off, have run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
