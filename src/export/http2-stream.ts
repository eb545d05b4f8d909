/** One exchange on an HTTP/2 connection: what is left to send of its request, and where its answer goes. */
import type { HeaderFields } from "./hpack.ts";

/** Hears an answer. Nothing comes after `closed`, and nothing at all after the stream was cancelled. */
export interface AnswerObserver {
  /** The answer's head, and its trailers. */
  headers(fields: HeaderFields): void;
  /** The bytes are the observer's to keep. */
  data(chunk: Buffer): void;
  /** The peer has said all it will say, and the request is still under way. */
  endedEarly(): void;
  closed(ending: StreamEnding): void;
}

export type StreamEnding =
  | { readonly kind: "complete" }
  /** `isUnread` of a reset, and of a lost connection: the peer surely never looked at the request. */
  | { readonly kind: "reset"; readonly code: number; readonly isUnread: boolean }
  | { readonly kind: "connection"; readonly reason: string; readonly isUnread: boolean }
  /** Head or trailers are larger than this client takes. */
  | { readonly kind: "headers-too-large" };

export class Http2Stream {
  /** 0 until the peer has room for another stream. */
  id = 0;
  /** Bytes that the peer still takes on this stream. */
  sendWindow = 0;
  readonly headerBlock: Buffer;
  readonly #observer: AnswerObserver;
  readonly #cancel: (stream: Http2Stream) => void;
  #body: readonly Uint8Array[];
  #isClosed = false;
  #hasEnded = false;

  /** `body` has one part at least. */
  constructor(
    headerBlock: Buffer,
    body: readonly Uint8Array[],
    observer: AnswerObserver,
    cancel: (stream: Http2Stream) => void,
  ) {
    this.headerBlock = headerBlock;
    this.#body = body;
    this.#observer = observer;
    this.#cancel = cancel;
  }

  /** True when all of the request was handed to the socket. */
  get isSent(): boolean {
    return this.#body.length === 0;
  }

  /** Takes up to `maxBytes` of what is left to send. */
  take(maxBytes: number): readonly Uint8Array[] {
    const taken: Uint8Array[] = [];
    let room = maxBytes;
    while (room > 0) {
      const [part, ...rest] = this.#body;
      if (part === undefined) break;
      const now = part.length <= room ? part : part.subarray(0, room);
      this.#body = now === part ? rest : [part.subarray(room), ...rest];
      taken.push(now);
      room -= now.length;
    }
    return taken;
  }

  receiveHeaders(fields: HeaderFields): void {
    if (!this.#isClosed) this.#observer.headers(fields);
  }

  receiveData(chunk: Buffer): void {
    if (!this.#isClosed) this.#observer.data(chunk);
  }

  /** The peer has said all. */
  receiveEnd(): void {
    this.#hasEnded = true;
    if (!this.#isClosed && !this.isSent) this.#observer.endedEarly();
  }

  /** True when both sides have said all. */
  get isDone(): boolean {
    return this.#hasEnded && this.isSent;
  }

  /** Tells the observer, once. */
  close(ending: StreamEnding): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#observer.closed(ending);
  }

  /** Asks the peer to forget the exchange; a finished one is not touched. */
  cancel(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel(this);
  }
}
