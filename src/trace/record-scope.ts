/** The context that is current while one record is being worked on. */
import type { Context, Span } from "@opentelemetry/api";
import { currentTick } from "./turn-clock.ts";

/** What a scope asks of its owner the first time somebody looks into it. */
export interface ScopeOwner {
  /** Starts the record's span; `startTime` is a `performance.now()` reading. */
  openSpan(scope: RecordScope, startTime: number): Span;
  /** `outer` with the record's span, and its baggage, in place of the outer ones. */
  enter(scope: RecordScope, span: Span, outer: Context): Context;
}

/**
 * A context that follows its record's life: while a turn is open it holds the record's span, after
 * the last turn it answers like the context outside. A loop cannot give a scope back to code that
 * awaited the function holding the loop (`enterWith` leaks there), so the scope itself steps aside.
 *
 * A turn in which nobody looked (no span, no context read) and no time passed is no turn: spread,
 * destructuring and `records.map((r) => r.body)` visit a record without working on it.
 */
export class RecordScope implements Context {
  /** Of the record among the batch's messages. */
  readonly position: number;
  readonly #owner: ScopeOwner;
  #outer: Context;
  #inner: Context | undefined;
  #span: Span | undefined;
  #openTurns = 0;
  #turnTick = -1;
  #turnStart = 0;
  #observed = false;
  #start: number | undefined;
  #end: number | undefined;
  /** Ended within the tick it began in: asynchronous work begun there may still come back. */
  #reopenable = false;
  #closed = false;
  /** What its turn threw; `hasFailed` tells a thrown `undefined` from none. */
  failure: unknown;
  hasFailed = false;
  /** Its turn was left early: by `break`, `return`, or by what then fails the handler. */
  wasLeft = false;

  constructor(owner: ScopeOwner, position: number, outer: Context) {
    this.#owner = owner;
    this.position = position;
    this.#outer = outer;
  }

  getValue(key: symbol): unknown {
    return this.#current().getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#current().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.#current().deleteValue(key);
  }

  /** `performance.now()` of the first turn that was one; undefined when the record was never worked on. */
  get startTime(): number | undefined {
    return this.#start;
  }

  /** `performance.now()` of the last turn's end; undefined while one is open or none was. */
  get endTime(): number | undefined {
    return this.#openTurns > 0 ? undefined : this.#end;
  }

  /** Whether its work came to an end of its own, rather than with the invocation's. */
  get isCompleted(): boolean {
    return this.endTime !== undefined && !this.wasLeft;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The record's span once somebody looked for it. */
  get span(): Span | undefined {
    return this.#span;
  }

  /** Begins a turn; `outer` is the context to step aside for. */
  begin(outer: Context): void {
    if (this.#closed) return;
    this.#openTurns++;
    if (this.#span === undefined && outer !== this) {
      this.#outer = outer;
      this.#inner = undefined;
    }
    this.#turnTick = currentTick();
    this.#turnStart = performance.now();
    this.#observed = false;
  }

  /** Makes the open turn count, whether or not anybody looks. */
  claim(): void {
    this.#observed = true;
  }

  /** Ends a turn; a turn that failed, was looked into, or took time counts as work on the record. */
  end(): void {
    if (this.#closed || this.#openTurns === 0) return;
    this.#openTurns--;
    const sameTick = this.#turnTick === currentTick();
    if (sameTick && !this.#observed && !this.hasFailed) return;
    this.#start ??= this.#turnStart;
    this.#end = performance.now();
    this.#reopenable = sameTick;
  }

  /** Ends a turn that its loop did not complete. */
  leave(): void {
    this.wasLeft = true;
    this.end();
  }

  /** Notes what the turn threw; the span is marked when it ends for good. */
  fail(thrown: unknown): void {
    this.failure = thrown;
    this.hasFailed = true;
  }

  /** After this the scope is never current again. */
  close(): void {
    this.#closed = true;
  }

  #current(): Context {
    if (this.#closed) return this.#outer;
    if (this.#openTurns === 0 && this.#end !== undefined) {
      if (!this.#reopenable) return this.#outer;
      this.#end = undefined;
      this.#reopenable = false;
    }
    this.#observed = true;
    this.#start ??= this.#turnStart;
    this.#inner ??= this.#open();
    return this.#inner;
  }

  #open(): Context {
    this.#span ??= this.#owner.openSpan(this, this.#start ?? performance.now());
    return this.#owner.enter(this, this.#span, this.#outer);
  }
}
