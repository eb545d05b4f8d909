/** One invocation from its first span to its last. */
import { type Context, type Span, trace } from "@opentelemetry/api";
import { warnOnce } from "../diag.ts";
import type { InvocationSpan } from "../seam.ts";
import { type BatchOutcome, NONE_REPORTED, readReport } from "./batch-outcome.ts";
import type { BatchSpan } from "./batch-span.ts";
import type { Clock } from "./clock.ts";
import {
  type CurrentInvocation,
  type RecordTurn,
  setCurrentInvocation,
} from "./current-invocation.ts";
import { inDialect } from "./dialect.ts";
import { type Failure, failSpan, readFailure, recordFailure } from "./failure.ts";
import type { HandlerSetup } from "./handler-setup.ts";
import { createTurn } from "./record-turn.ts";
import { COLDSPAN_RESPONSE_PAYLOAD } from "./semconv.ts";
import type { EventDescription, RecordDescription } from "./source.ts";

export interface InvocationParts {
  readonly setup: HandlerSetup;
  readonly description: EventDescription;
  readonly span: Span;
  /** The context around the span: the caller's, with baggage. */
  readonly outer: Context;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

export class Invocation implements InvocationSpan, CurrentInvocation {
  readonly deadlineMs: number;
  /** What is current while the handler runs. */
  readonly context: Context;
  readonly #parts: InvocationParts;
  #batches: readonly BatchSpan[] = [];
  #ended = false;

  constructor(parts: InvocationParts) {
    this.#parts = parts;
    this.deadlineMs = parts.deadlineMs;
    this.context = setCurrentInvocation(trace.setSpan(parts.outer, parts.span), this);
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Takes the event's batches on; called once, before the handler. */
  follow(batches: readonly BatchSpan[]): void {
    this.#batches = batches;
  }

  turnOf(
    record: unknown,
    position: number,
    description: RecordDescription,
  ): RecordTurn | undefined {
    for (const batch of this.#batches) {
      const scope = batch.scopeOf(record, position, description.messageId);
      if (scope !== undefined) return createTurn(batch, scope);
    }
    return undefined;
  }

  /** The handler returned. A promise means: wait for it before answering. */
  succeed(result: unknown): Promise<void> | undefined {
    if (this.#ended) return undefined;
    this.#guard("response", () => this.#describeResult(result));
    return this.#end(result, undefined);
  }

  /** The handler threw. A promise means: wait for it before answering. */
  fail(thrown: unknown): Promise<void> | undefined {
    if (this.#ended) return undefined;
    const failure = readFailure(thrown);
    this.#guard("failure", () => recordFailure(this.#parts.span, failure));
    return this.#end(undefined, failure);
  }

  abort(errorType: string, message: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const failure: Failure = { type: errorType, message, stack: undefined };
    this.#guard("abort", () => {
      failSpan(this.#parts.span, errorType, message);
      this.#finishSpans({ failure, isReported: NONE_REPORTED });
    });
  }

  #describeResult(result: unknown): void {
    const { setup, description, span } = this.#parts;
    const described = description.describeResult?.(result);
    if (described !== undefined) {
      span.setAttributes(inDialect(described.attributes, setup.semconv));
      if (described.errorType !== undefined) failSpan(span, described.errorType);
    }
    if (setup.writeResponse !== undefined) {
      span.setAttribute(COLDSPAN_RESPONSE_PAYLOAD, setup.writeResponse(result));
    }
    setup.options.onResponse?.(span, result);
  }

  #end(result: unknown, failure: Failure | undefined): Promise<void> | undefined {
    this.#ended = true;
    this.#guard("end", () => {
      const isReported =
        this.#batches.length === 0
          ? NONE_REPORTED
          : readReport(result, (key) => this.#batches.some((batch) => batch.delivers(key)));
      this.#finishSpans({ failure, isReported });
    });
    return this.#parts.setup.lifecycle.invocationEnded(this);
  }

  #finishSpans(outcome: BatchOutcome): void {
    for (const batch of this.#batches) batch.finish(outcome);
    this.#parts.span.end(this.#parts.clock(performance.now()));
  }

  /** Telemetry's own failures end here: one line, and the function goes on. */
  #guard(step: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      warnOnce(
        `invocation.${step}`,
        `tracing failed at the invocation's ${step}: ${String(error)}`,
      );
    }
  }
}
