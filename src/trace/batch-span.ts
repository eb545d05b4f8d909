/** The spans of one batch: one for the batch, one per record, made when somebody looks or at the end. */
import {
  type Context,
  type Link,
  propagation,
  type Span,
  SpanKind,
  trace,
} from "@opentelemetry/api";
import type { Lifecycle } from "../seam.ts";
import { BatchMessages, type Message } from "./batch-messages.ts";
import { type BatchOutcome, failRecord } from "./batch-outcome.ts";
import type { Clock } from "./clock.ts";
import { inDialect } from "./dialect.ts";
import { failSpan } from "./failure.ts";
import { RecordScope, type ScopeOwner } from "./record-scope.ts";
import { createRecordSpans, type StartRecordSpan } from "./record-span.ts";
import {
  COLDSPAN_BATCH_FAILURE_COUNT,
  FAAS_TRIGGER,
  MESSAGING_BATCH_MESSAGE_COUNT,
  MESSAGING_MESSAGE_ID,
} from "./semconv.ts";
import { createSentReader } from "./sent.ts";
import type { InboundPolicy, RecordParent, SemconvVersion } from "./settings.ts";
import type { Batch } from "./source.ts";
import type { TriggerKind } from "./source-names.ts";

export interface BatchSetup {
  readonly lifecycle: Lifecycle;
  /** The invocation's context: the batch span's parent. */
  readonly context: Context;
  readonly trigger: TriggerKind;
  readonly recordParent: RecordParent;
  readonly semconv: SemconvVersion;
  readonly inbound: InboundPolicy;
  readonly batchName: string;
  nameRecord(record: unknown): string;
  readonly clock: Clock;
  /** `performance.now()` of the invocation's start. */
  readonly startTime: number;
  /** Unix time in ms of the invocation's start: queue time ends there. */
  readonly startedAtMs: number;
}

export class BatchSpan implements ScopeOwner {
  readonly #setup: BatchSetup;
  readonly #messages: BatchMessages;
  readonly #scopes: (RecordScope | undefined)[] = [];
  readonly #span: Span;
  readonly #startRecordSpan: StartRecordSpan;
  #failures = 0;

  constructor(batch: Batch, setup: BatchSetup) {
    const { lifecycle, inbound, context } = setup;
    this.#setup = setup;
    this.#messages = new BatchMessages(batch, createSentReader(lifecycle, inbound));
    this.#span = startBatchSpan(batch, setup, this.#messages.list);
    const batchContext = trace.setSpan(context, this.#span);
    this.#startRecordSpan = createRecordSpans(batch, setup, this.#span, batchContext);
  }

  /** The event's own arrays that hold this batch's records. */
  get arrays(): Iterable<readonly unknown[]> {
    return this.#messages.arrays;
  }

  /** The scope of the record at an index of one of the batch's arrays. */
  scopeIn(records: readonly unknown[], index: number): RecordScope | undefined {
    return this.#scopeAt(this.#messages.positionIn(records, index));
  }

  /** The scope of a record: by its position, or for a copy of the event by message id. */
  scopeOf(
    record: unknown,
    position: number,
    messageId: string | undefined,
  ): RecordScope | undefined {
    return this.#scopeAt(this.#messages.positionOf(record, position, messageId));
  }

  /** Whether one of the records is called so in `batchItemFailures`. */
  delivers(key: string): boolean {
    return this.#messages.delivers(key);
  }

  openSpan(scope: RecordScope, startTime: number): Span {
    return this.#startRecordSpan(this.#messageOf(scope), startTime);
  }

  enter(scope: RecordScope, span: Span, outer: Context): Context {
    const { context } = this.#messageOf(scope);
    // Policy `link` names the producer, and takes nothing from it.
    const isTrusted = context !== undefined && this.#setup.inbound === "parent";
    const baggage = isTrusted ? propagation.getBaggage(context) : undefined;
    const base = baggage === undefined ? outer : propagation.setBaggage(outer, baggage);
    return trace.setSpan(base, span);
  }

  /** Ends one record's span with what is known of it; the rest of the batch goes on. */
  finishRecord(scope: RecordScope): void {
    this.#finishMessage(this.#messageOf(scope), scope, undefined);
  }

  /** Ends every span that is still open. */
  finish(outcome: BatchOutcome): void {
    for (const [position, message] of this.#messages.list.entries()) {
      this.#finishMessage(message, this.#scopes[position], outcome);
    }
    if (this.#failures > 0) this.#span.setAttribute(COLDSPAN_BATCH_FAILURE_COUNT, this.#failures);
    const { failure } = outcome;
    if (failure !== undefined) failSpan(this.#span, failure.type, failure.message);
    this.#span.end(this.#setup.clock(performance.now()));
  }

  #scopeAt(position: number | undefined): RecordScope | undefined {
    if (position === undefined) return undefined;
    this.#scopes[position] ??= new RecordScope(this, position, this.#setup.context);
    return this.#scopes[position];
  }

  #messageOf(scope: RecordScope): Message {
    return this.#messages.list[scope.position] as Message;
  }

  #finishMessage(
    message: Message,
    scope: RecordScope | undefined,
    outcome: BatchOutcome | undefined,
  ): void {
    if (scope?.isClosed === true) return;
    const { clock, startTime } = this.#setup;
    const span = scope?.span ?? this.#startRecordSpan(message, scope?.startTime ?? startTime);
    const isAlone = this.#messages.list.length === 1;
    if (failRecord(span, { message, scope, outcome, isAlone })) this.#failures++;
    span.end(clock(scope?.endTime ?? performance.now()));
    scope?.close();
  }
}

function startBatchSpan(batch: Batch, setup: BatchSetup, messages: readonly Message[]): Span {
  const attributes = {
    ...batch.attributes,
    [FAAS_TRIGGER]: setup.trigger,
    [MESSAGING_BATCH_MESSAGE_COUNT]: messages.length,
  };
  const links: Link[] = [];
  for (const { producer, messageId } of messages) {
    if (producer === undefined) continue;
    const attributes = messageId === undefined ? {} : { [MESSAGING_MESSAGE_ID]: messageId };
    links.push({ context: producer, attributes });
  }
  return setup.lifecycle.tracer.startSpan(
    setup.batchName,
    {
      kind: SpanKind.CONSUMER,
      attributes: inDialect(attributes, setup.semconv),
      links,
      startTime: setup.clock(setup.startTime),
    },
    setup.context,
  );
}
