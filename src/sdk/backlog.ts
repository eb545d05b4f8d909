/** What one destination still has to get: spans that wait, and requests an earlier process left behind. */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Destination, ExportRequest } from "../export/destination.ts";
import { BoundedQueue, type Chunk, type QueueBounds } from "./bounded-queue.ts";
import type { RecoveredRequest } from "./spool.ts";

/** One request and its spans' fate: exactly one of `settle` and `giveBack` is called, once. */
export interface Parcel {
  readonly request: ExportRequest;
  readonly spanCount: number;
  /** Spans among them that the receiver may have already. */
  readonly repeats: number;
  /** True when it came from the spool and is kept there until it is settled. */
  readonly isRecovered: boolean;
  /** The spans are done with: taken, refused or moved elsewhere. */
  settle(): void;
  /** They stay, in front of all others; with `answerLost` they may have arrived. */
  giveBack(answerLost: boolean): void;
}

export interface BacklogOptions {
  readonly destination: Destination;
  readonly bounds: QueueBounds;
  readonly maxChunkSpans: number;
  /** A span that no request can carry was dropped. */
  readonly onUnsendable: (reason: string) => void;
}

export class Backlog {
  readonly queue: BoundedQueue;
  readonly #options: BacklogOptions;
  readonly #maxChunkSpans: number;
  #recovered: RecoveredRequest[] = [];
  #recoveredSpans = 0;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.queue = new BoundedQueue(options.bounds);
    const { maxRequestSpans = Number.POSITIVE_INFINITY } = options.destination;
    this.#maxChunkSpans = Math.min(options.maxChunkSpans, maxRequestSpans);
  }

  /** Spans that wait for their turn. */
  get waiting(): number {
    return this.queue.waiting + this.#recovered.reduce((sum, { spanCount }) => sum + spanCount, 0);
  }

  /** Spans that wait, and those that are being sent. */
  get held(): number {
    return this.queue.held + this.#recoveredSpans;
  }

  /** True when a whole request waits: a full chunk's worth of spans, or one that was recovered. */
  get isDue(): boolean {
    const { waiting, waitingBytes } = this.queue;
    const { maxRequestBytes } = this.#options.destination;
    const hasFullChunk = waiting >= this.#maxChunkSpans || waitingBytes >= maxRequestBytes;
    return hasFullChunk || this.#recovered.length > 0;
  }

  /** Takes over what an earlier process left. */
  recover(request: RecoveredRequest): void {
    this.#recoveredSpans += request.spanCount;
    this.#recovered.push(request);
  }

  /** The oldest request that fits the destination; undefined when nothing waits. */
  next(): Parcel | undefined {
    const recovered = this.#recovered.shift();
    return recovered === undefined ? this.nextOwn() : this.#toParcel(recovered);
  }

  /** As {@link next}, without those of earlier processes. */
  nextOwn(): Parcel | undefined {
    while (this.queue.waiting > 0) {
      const { maxRequestBytes } = this.#options.destination;
      const parcel = this.#encode(this.queue.take(this.#maxChunkSpans, maxRequestBytes));
      if (parcel !== undefined) return parcel;
    }
    return undefined;
  }

  #toParcel(recovered: RecoveredRequest): Parcel {
    const { request, spanCount } = recovered;
    return {
      request,
      spanCount,
      repeats: recovered.mayRepeat ? spanCount : 0,
      isRecovered: true,
      settle: () => {
        this.#recoveredSpans -= spanCount;
        recovered.remove();
      },
      giveBack: (answerLost) => {
        const mayRepeat = recovered.mayRepeat || answerLost;
        this.#recovered.unshift({ ...recovered, mayRepeat });
      },
    };
  }

  /** Halves the chunk until its request fits; undefined when even one span makes none. */
  #encode(whole: Chunk): Parcel | undefined {
    const { destination, onUnsendable } = this.#options;
    let chunk = whole;
    for (;;) {
      const request = tryEncode(destination, chunk.spans);
      const isEncoded = !(request instanceof Error);
      if (isEncoded && request.byteLength <= destination.maxRequestBytes) {
        return toParcel(this.queue, chunk, request);
      }
      if (chunk.spans.length === 1) {
        this.queue.settle(chunk);
        onUnsendable(
          isEncoded
            ? `one span of ${request.byteLength} B; ${destination.maxRequestBytes} B fit in a request`
            : request.message,
        );
        return undefined;
      }
      chunk = this.queue.halve(chunk);
    }
  }
}

function toParcel(queue: BoundedQueue, chunk: Chunk, request: ExportRequest): Parcel {
  return {
    request,
    spanCount: chunk.spans.length,
    repeats: chunk.mayRepeat.filter(Boolean).length,
    isRecovered: false,
    settle: () => queue.settle(chunk),
    giveBack: (answerLost) => queue.giveBack(chunk, answerLost),
  };
}

function tryEncode(
  destination: Destination,
  spans: readonly ReadableSpan[],
): ExportRequest | Error {
  try {
    return destination.encode(spans);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
