/** Everything that arrived, and those who wait for more of it. */
import { type Behaviour, recordsSpans } from "./otlp-behaviour.ts";
import type { Arrival } from "./otlp-exchange.ts";
import type { ReceivedRequest } from "./received-request.ts";
import { type ReceivedSpan, readSpans } from "./received-span.ts";

/** Names listed in the error of a wait that ran out. */
const MAX_LISTED = 40;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class SpanLedger {
  #spans: ReceivedSpan[] = [];
  #requests: Mutable<ReceivedRequest>[] = [];
  readonly #waiters: Set<() => void> = new Set();

  get spans(): readonly ReceivedSpan[] {
    return this.#spans;
  }

  get requests(): readonly ReceivedRequest[] {
    return this.#requests;
  }

  /** Remembers a request; the returned function marks it as answered. */
  add(arrival: Arrival, behaviour: Behaviour, connection: number): () => void {
    const { judgement, headers, transport, wireBytes, message, compressed } = arrival;
    const index = this.#requests.length;
    const spans = judgement.kind === "traces" ? readSpans(judgement.traces, index) : [];
    const recorded = judgement.kind === "traces" && recordsSpans(behaviour);
    const request: Mutable<ReceivedRequest> = {
      index,
      transport,
      arrivedAtMs: now(),
      connection,
      headers: flatten(headers),
      wireBytes,
      message,
      compressed,
      spanCount: spans.length,
      outcome: judgement.kind === "traces" ? behaviour.kind : judgement.outcome,
      refusal: judgement.kind === "traces" ? undefined : judgement.reason,
      recorded,
      answered: false,
      answeredAtMs: undefined,
    };
    this.#requests.push(request);
    if (recorded) for (const span of withoutRejected(spans, behaviour)) this.#spans.push(span);
    this.#notify();
    return () => {
      request.answered = true;
      request.answeredAtMs = now();
      this.#notify();
    };
  }

  /** Forgets everything; indexes start from 0 again. */
  clear(): void {
    this.#spans = [];
    this.#requests = [];
  }

  /** Resolves when the condition holds; rejects after `timeoutMs` with what did arrive. */
  wait(isMet: () => boolean, wanted: string, timeoutMs: number): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        finish();
      };
      const check = () => {
        try {
          if (isMet()) settle(resolve);
        } catch (error) {
          // A predicate's error belongs to the one who waits, not to the request that woke it.
          settle(() => reject(error));
        }
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(this.#describe(wanted, timeoutMs)))),
        timeoutMs,
      );
      this.#waiters.add(check);
    });
  }

  #notify(): void {
    for (const check of this.#waiters) check();
  }

  #describe(wanted: string, timeoutMs: number): string {
    const lines = [
      `Waited ${timeoutMs} ms for ${wanted}; ${this.#spans.length} spans arrived in ${this.#requests.length} requests.`,
      ...this.#requests.map(describeRequest),
      ...this.#spans.slice(0, MAX_LISTED).map(describeSpan),
    ];
    const unlisted = this.#spans.length - MAX_LISTED;
    if (unlisted > 0) lines.push(`  … and ${unlisted} more`);
    return lines.join("\n");
  }
}

function withoutRejected(spans: ReceivedSpan[], behaviour: Behaviour): ReceivedSpan[] {
  if (behaviour.kind !== "partial-success") return spans;
  return spans.slice(0, Math.max(0, spans.length - behaviour.rejectedSpans));
}

function describeRequest(request: ReceivedRequest): string {
  const { index, transport, spanCount, outcome, refusal, recorded, answered } = request;
  const fate = `${recorded ? "recorded" : "not recorded"}, ${answered ? "answered" : "not answered"}`;
  return `  request ${index}: ${transport}, ${spanCount} spans, ${refusal ?? outcome}, ${fate}`;
}

function describeSpan({ kind, name, traceId, spanId, parentSpanId }: ReceivedSpan): string {
  const parent = parentSpanId === undefined ? "root" : `parent ${parentSpanId}`;
  return `  ${kind} ${JSON.stringify(name)} trace ${traceId} span ${spanId} ${parent}`;
}

function flatten(headers: Arrival["headers"]): Record<string, string> {
  const entries = Object.entries(headers).map(([key, value]) => [key, String(value)] as const);
  return Object.fromEntries(entries);
}

/** Unix time in ms, finer than `Date.now()`: two requests of one millisecond keep their order. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
