/** The spans of one batch: one for the batch, one per record, made when somebody looks or at the end. */
import {
  type Attributes,
  type Context,
  type Link,
  propagation,
  type Span,
  type SpanContext,
  SpanKind,
  trace,
} from "@opentelemetry/api";
import type { Lifecycle } from "../seam.ts";
import { identifierKey } from "./batch-response.ts";
import type { Clock } from "./clock.ts";
import { inDialect } from "./dialect.ts";
import { failSpan, recordFailure } from "./failure.ts";
import { RecordScope, type ScopeOwner } from "./record-scope.ts";
import {
  COLDSPAN_BATCH_FAILURE_COUNT,
  COLDSPAN_MESSAGE_QUEUE_TIME_MS,
  MESSAGING_BATCH_MESSAGE_COUNT,
  MESSAGING_MESSAGE_ID,
} from "./semconv.ts";
import type { InboundPolicy, RecordParent, SemconvVersion } from "./settings.ts";
import type { Batch, RecordDescription } from "./source.ts";

/** `error.type` of a record that the handler's answer names, without an error of its own. */
const REPORTED = "batch_item_failure";

export interface BatchSetup {
  readonly lifecycle: Lifecycle;
  /** The invocation's context: the batch span's parent. */
  readonly context: Context;
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

/** How the invocation ended, as far as its records care. */
export interface BatchOutcome {
  /** What the handler threw. */
  readonly failure: { readonly thrown: unknown } | undefined;
  /** Whether the handler's answer names this record as failed. */
  isReported(description: RecordDescription): boolean;
}

interface Message {
  readonly record: unknown;
  readonly description: RecordDescription;
  /** What the producer sent along; undefined when nothing, or when policy ignores it. */
  readonly sent: Context | undefined;
  readonly producer: SpanContext | undefined;
}

export class BatchSpan implements ScopeOwner {
  readonly #batch: Batch;
  readonly #setup: BatchSetup;
  readonly #messages: Message[] = [];
  /** Where an array's records are in `#messages`; -1 for those of another batch. */
  readonly #positions = new Map<readonly unknown[], number[]>();
  readonly #scopes: (RecordScope | undefined)[] = [];
  readonly #span: Span;
  readonly #context: Context;
  #failures = 0;
  #identifierKeys: Set<string | undefined> | undefined;
  #indexByMessageId: Map<string | undefined, number> | undefined;

  constructor(batch: Batch, setup: BatchSetup) {
    this.#batch = batch;
    this.#setup = setup;
    for (const records of batch.arrays) {
      this.#positions.set(
        records,
        Array.from(records, (record) => this.#receive(record)),
      );
    }
    this.#span = setup.lifecycle.tracer.startSpan(
      setup.batchName,
      {
        kind: SpanKind.CONSUMER,
        attributes: inDialect(
          { ...batch.attributes, [MESSAGING_BATCH_MESSAGE_COUNT]: this.#messages.length },
          setup.semconv,
        ),
        links: this.#producerLinks(),
        startTime: setup.clock(setup.startTime),
      },
      setup.context,
    );
    this.#context = trace.setSpan(setup.context, this.#span);
  }

  /** The event's own arrays that hold this batch's records. */
  get arrays(): Iterable<readonly unknown[]> {
    return this.#positions.keys();
  }

  /** The scope of the record at an index of one of the batch's arrays. */
  scopeIn(records: readonly unknown[], index: number): RecordScope | undefined {
    const position = this.#positions.get(records)?.[index];
    return position === undefined ? undefined : this.#scopeAt(position);
  }

  /** The scope of a record: by its position, or for a copy of the event by message id. */
  scopeOf(
    record: unknown,
    position: number,
    messageId: string | undefined,
  ): RecordScope | undefined {
    if (this.#messages[position]?.record === record) return this.#scopeAt(position);
    if (messageId === undefined) return undefined;
    this.#indexByMessageId ??= new Map(
      this.#messages.map(({ description }, index) => [description.messageId, index]),
    );
    const found = this.#indexByMessageId.get(messageId);
    return found === undefined ? undefined : this.#scopeAt(found);
  }

  /** Whether one of the records is called so in `batchItemFailures`. */
  delivers(key: string): boolean {
    this.#identifierKeys ??= new Set(
      this.#messages.map(({ description }) => identifierKey(description.itemIdentifier)),
    );
    return this.#identifierKeys.has(key);
  }

  openSpan(scope: RecordScope, startTime: number): Span {
    return this.#startRecordSpan(scope.index, startTime);
  }

  enter(scope: RecordScope, span: Span, outer: Context): Context {
    const sent = this.#messages[scope.index]?.sent;
    const baggage = sent === undefined ? undefined : propagation.getBaggage(sent);
    const base = baggage === undefined ? outer : propagation.setBaggage(outer, baggage);
    return trace.setSpan(base, span);
  }

  /** Ends one record's span with what is known of it; the rest of the batch goes on. */
  finishRecord(scope: RecordScope): void {
    const message = this.#messages[scope.index];
    if (message !== undefined) this.#finishMessage(message, scope.index, undefined);
  }

  /** Ends every span that is still open. */
  finish(outcome: BatchOutcome): void {
    for (const [index, message] of this.#messages.entries())
      this.#finishMessage(message, index, outcome);
    if (this.#failures > 0) this.#span.setAttribute(COLDSPAN_BATCH_FAILURE_COUNT, this.#failures);
    if (outcome.failure !== undefined) recordFailure(this.#span, outcome.failure.thrown);
    this.#span.end(this.#setup.clock(performance.now()));
  }

  #scopeAt(position: number): RecordScope | undefined {
    if (this.#messages[position] === undefined) return undefined;
    this.#scopes[position] ??= new RecordScope(this, position, this.#setup.context);
    return this.#scopes[position];
  }

  /** @returns the record's position, or -1 when it belongs to another batch. */
  #receive(record: unknown): number {
    if (this.#batch.owns?.(record) === false) return -1;
    const description = this.#batch.describeRecord(record);
    const carrier = this.#setup.inbound === "ignore" ? undefined : description.carrier;
    const sent = carrier === undefined ? undefined : this.#setup.lifecycle.extractMessage(carrier);
    const producer = sent === undefined ? undefined : trace.getSpanContext(sent);
    return this.#messages.push({ record, description, sent, producer }) - 1;
  }

  #producerLinks(): Link[] {
    const links: Link[] = [];
    for (const { producer, description } of this.#messages) {
      if (producer !== undefined) {
        links.push({ context: producer, attributes: linkAttributes(description) });
      }
    }
    return links;
  }

  #startRecordSpan(index: number, startTime: number): Span {
    const { record, description, sent, producer } = this.#messages[index] as Message;
    const { lifecycle, recordParent, semconv, inbound, clock, startedAtMs } = this.#setup;
    const inProducersTrace =
      producer !== undefined && recordParent === "producer" && inbound === "parent";
    const attributes: Attributes = { ...this.#batch.attributes, ...description.attributes };
    if (description.sentAtMs !== undefined) {
      attributes[COLDSPAN_MESSAGE_QUEUE_TIME_MS] = Math.max(0, startedAtMs - description.sentAtMs);
    }
    const linked = inProducersTrace ? this.#span.spanContext() : producer;
    return lifecycle.tracer.startSpan(
      this.#setup.nameRecord(record),
      {
        kind: SpanKind.CONSUMER,
        attributes: inDialect(attributes, semconv),
        links: linked === undefined ? [] : [{ context: linked }],
        startTime: clock(startTime),
      },
      inProducersTrace && sent !== undefined ? sent : this.#context,
    );
  }

  #finishMessage(message: Message, index: number, outcome: BatchOutcome | undefined): void {
    const scope = this.#scopes[index];
    if (scope?.isClosed === true) return;
    const { clock } = this.#setup;
    const startTime = scope?.startTime ?? this.#setup.startTime;
    const span = scope?.span ?? this.#startRecordSpan(index, startTime);
    if (markFailure(span, message.description, scope, outcome)) this.#failures++;
    span.end(clock(scope?.endTime ?? performance.now()));
    scope?.close();
  }
}

/** A record that no turn completed covers the invocation and shares its outcome. */
function markFailure(
  span: Span,
  description: RecordDescription,
  scope: RecordScope | undefined,
  outcome: BatchOutcome | undefined,
): boolean {
  if (scope?.hasFailed === true) {
    recordFailure(span, scope.failure);
    return true;
  }
  if (outcome === undefined) return false;
  if (outcome.failure !== undefined) {
    if (scope?.isCompleted === true) return false;
    recordFailure(span, outcome.failure.thrown);
    return true;
  }
  if (!outcome.isReported(description)) return false;
  failSpan(span, REPORTED, "reported in batchItemFailures");
  return true;
}

function linkAttributes({ messageId }: RecordDescription): Attributes {
  return messageId === undefined ? {} : { [MESSAGING_MESSAGE_ID]: messageId };
}
