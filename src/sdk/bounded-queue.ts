/** The spans that one destination has not confirmed yet, bounded by count and memory. */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { SpanRing, type SpanRun } from "./span-ring.ts";

/**
 * A span's objects on the heap, and what a byte of its request costs as keys, values and ids (V8, 64 bits):
 * within half and twice of what spans of 0 to 30 attributes, 10 links or 10 events were measured to take.
 */
const SPAN_MEMORY_BYTES = 850;
const MEMORY_PER_REQUEST_BYTE = 3;

export interface QueueBounds {
  readonly maxSpans: number;
  /** Of the memory that the spans take, see {@link estimateMemory}. */
  readonly maxMemoryBytes: number;
}

/** Close to the memory that spans take whose requests take so many bytes. */
export function estimateMemory(spans: number, requestBytes: number): number {
  return spans * SPAN_MEMORY_BYTES + requestBytes * MEMORY_PER_REQUEST_BYTE;
}

/** Spans that left the queue to be sent; they count against its bounds until they are settled. */
export interface Chunk extends SpanRun {
  readonly totalBytes: number;
}

export class BoundedQueue {
  readonly #bounds: QueueBounds;
  readonly #waiting = new SpanRing();
  #takenSpans = 0;
  #takenBytes = 0;
  #recorded = 0;
  #overflowed = 0;
  #tooLarge = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  /** Spans that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get waitingBytes(): number {
    return this.#waiting.totalBytes;
  }

  /** Spans that wait, and those that are being sent. */
  get held(): number {
    return this.#waiting.length + this.#takenSpans;
  }

  /** Spans ever added, the dropped ones included. */
  get recorded(): number {
    return this.#recorded;
  }

  /** Spans dropped to make room. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** Spans refused because one alone is larger than the whole queue may be. */
  get tooLarge(): number {
    return this.#tooLarge;
  }

  /** Adds a span that takes so many bytes in a request; drops the oldest waiting ones until the bounds hold. */
  add(span: ReadableSpan, bytes: number): void {
    this.#recorded++;
    if (estimateMemory(1, bytes) > this.#bounds.maxMemoryBytes) {
      this.#tooLarge++;
      return;
    }
    this.#waiting.push(span, bytes);
    while (this.#isOverfull && this.#waiting.length > 0) {
      this.#waiting.dropFirst();
      this.#overflowed++;
    }
  }

  /** The oldest waiting spans: at most `maxSpans`, and `maxBytes` unless one span alone is larger. */
  take(maxSpans: number, maxBytes: number): Chunk {
    const run = this.#waiting.take(maxSpans, maxBytes);
    const chunk = { ...run, totalBytes: sum(run.bytes) };
    this.#takenSpans += chunk.spans.length;
    this.#takenBytes += chunk.totalBytes;
    return chunk;
  }

  /** Takes a chunk's spans off the books: they were sent, dropped or moved elsewhere. */
  settle(chunk: Chunk): void {
    this.#takenSpans -= chunk.spans.length;
    this.#takenBytes -= chunk.totalBytes;
  }

  /** Puts a chunk back in front; with `answerLost`, its spans may be at the receiver already. */
  giveBack(chunk: Chunk, answerLost: boolean): void {
    this.settle(chunk);
    this.#waiting.unshift(
      answerLost ? { ...chunk, mayRepeat: chunk.spans.map(() => true) } : chunk,
    );
  }

  /** Gives back the newer half of a chunk and returns the older one. */
  halve(chunk: Chunk): Chunk {
    const middle = Math.ceil(chunk.spans.length / 2);
    this.giveBack(slice(chunk, middle, chunk.spans.length), false);
    return slice(chunk, 0, middle);
  }

  /** Starts with what another queue holds waiting, and with its counts. */
  adopt(other: BoundedQueue): void {
    this.#recorded = other.#recorded;
    this.#overflowed = other.#overflowed;
    this.#tooLarge = other.#tooLarge;
    const copy = other.#waiting.take(other.waiting, Number.POSITIVE_INFINITY);
    other.#waiting.unshift(copy);
    this.#waiting.unshift(copy);
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.#waiting.take(this.waiting, Number.POSITIVE_INFINITY);
  }

  get #isOverfull(): boolean {
    const requestBytes = this.#waiting.totalBytes + this.#takenBytes;
    return (
      this.held > this.#bounds.maxSpans ||
      estimateMemory(this.held, requestBytes) > this.#bounds.maxMemoryBytes
    );
  }
}

function slice(chunk: Chunk, start: number, end: number): Chunk {
  const bytes = chunk.bytes.slice(start, end);
  return {
    spans: chunk.spans.slice(start, end),
    bytes,
    mayRepeat: chunk.mayRepeat.slice(start, end),
    totalBytes: sum(bytes),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
