/** A double-ended queue of spans that grows in place: 50,000 spans in, 50,000 out, no array shifted. */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";

/** Spans in order, each with its estimated bytes and whether the receiver may have it already. */
export interface SpanRun {
  readonly spans: ReadableSpan[];
  readonly bytes: number[];
  readonly mayRepeat: boolean[];
}

/** A power of two, as every capacity: positions wrap by masking. */
const FIRST_CAPACITY = 64;
/** An empty ring above this gives its memory back (13 bytes a place). */
const KEPT_CAPACITY = 4096;

export class SpanRing {
  #spans: (ReadableSpan | undefined)[] = new Array(FIRST_CAPACITY);
  #bytes = new Float64Array(FIRST_CAPACITY);
  #mayRepeat = new Uint8Array(FIRST_CAPACITY);
  #mask = FIRST_CAPACITY - 1;
  #head = 0;
  #length = 0;
  #totalBytes = 0;

  get length(): number {
    return this.#length;
  }

  /** Estimated bytes of all spans in the ring. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  push(span: ReadableSpan, bytes: number): void {
    if (this.#length > this.#mask) this.#resize(2 * (this.#mask + 1));
    this.#set((this.#head + this.#length) & this.#mask, span, bytes, false);
    this.#length++;
  }

  /** Puts a run before everything else, in its own order. */
  unshift(run: SpanRun): void {
    for (let i = run.spans.length - 1; i >= 0; i--) {
      const span = run.spans[i];
      if (span === undefined) continue;
      if (this.#length > this.#mask) this.#resize(2 * (this.#mask + 1));
      this.#head = (this.#head - 1) & this.#mask;
      this.#set(this.#head, span, run.bytes[i] ?? 0, run.mayRepeat[i] ?? false);
      this.#length++;
    }
  }

  /** Takes spans from the front: at most `maxSpans`, and `maxBytes` unless the first alone is larger. */
  take(maxSpans: number, maxBytes: number): SpanRun {
    const run: SpanRun = { spans: [], bytes: [], mayRepeat: [] };
    let room = maxBytes;
    while (this.#length > 0 && run.spans.length < maxSpans) {
      const bytes = this.#bytes[this.#head] ?? 0;
      if (bytes > room && run.spans.length > 0) break;
      room -= bytes;
      run.mayRepeat.push(this.#mayRepeat[this.#head] === 1);
      run.bytes.push(bytes);
      const span = this.#removeFirst();
      if (span !== undefined) run.spans.push(span);
    }
    this.#shrink();
    return run;
  }

  /** Forgets the oldest span. */
  dropFirst(): void {
    if (this.#length > 0) this.#removeFirst();
  }

  #removeFirst(): ReadableSpan | undefined {
    const span = this.#spans[this.#head];
    this.#spans[this.#head] = undefined;
    this.#totalBytes -= this.#bytes[this.#head] ?? 0;
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
    return span;
  }

  #set(position: number, span: ReadableSpan, bytes: number, mayRepeat: boolean): void {
    this.#spans[position] = span;
    this.#bytes[position] = bytes;
    this.#mayRepeat[position] = mayRepeat ? 1 : 0;
    this.#totalBytes += bytes;
  }

  #shrink(): void {
    if (this.#length === 0 && this.#mask >= KEPT_CAPACITY) this.#resize(FIRST_CAPACITY);
  }

  #resize(capacity: number): void {
    const spans = new Array<ReadableSpan | undefined>(capacity);
    const bytes = new Float64Array(capacity);
    const mayRepeat = new Uint8Array(capacity);
    for (let i = 0; i < this.#length; i++) {
      const from = (this.#head + i) & this.#mask;
      spans[i] = this.#spans[from];
      bytes[i] = this.#bytes[from] ?? 0;
      mayRepeat[i] = this.#mayRepeat[from] ?? 0;
    }
    this.#spans = spans;
    this.#bytes = bytes;
    this.#mayRepeat = mayRepeat;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}
