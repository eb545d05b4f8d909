/** The exchanges of one HTTP/2 connection, and what its peer lets them send (RFC 9113 §5.1.2, §5.2, §6.5). */
import type { Socket } from "node:net";
import {
  FLAG,
  FRAME,
  frameHead,
  H2_ERROR,
  Http2Error,
  MAX_MAX_FRAME_BYTES,
  MIN_MAX_FRAME_BYTES,
  numbersFrame,
  SETTING,
  writeParts,
} from "./http2-frames.ts";
import type { Http2Stream, StreamEnding } from "./http2-stream.ts";

export const DEFAULT_WINDOW_BYTES = 65_535;
/** A window cannot be larger (RFC 9113 §6.9.1), nor a stream's number. */
const MAX_31_BITS = 0x7fff_ffff;

export class Http2Streams {
  readonly #socket: Socket;
  readonly #open = new Map<number, Http2Stream>();
  /** Until the peer has room for them. */
  readonly #waiting = new Set<Http2Stream>();
  #nextId = 1;
  #sendWindow = DEFAULT_WINDOW_BYTES;
  #maxOpen = Number.POSITIVE_INFINITY;
  #streamWindow = DEFAULT_WINDOW_BYTES;
  #maxFrameBytes = MIN_MAX_FRAME_BYTES;
  #maxHeaderListBytes = Number.POSITIVE_INFINITY;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get isIdle(): boolean {
    return this.#open.size === 0 && this.#waiting.size === 0;
  }

  /** True when the connection has no number for another stream. */
  get isExhausted(): boolean {
    return this.#nextId > MAX_31_BITS;
  }

  /** What the peer takes of headers: their text, and 32 bytes for each (§6.5.2). */
  get maxHeaderListBytes(): number {
    return this.#maxHeaderListBytes;
  }

  add(stream: Http2Stream): void {
    this.#waiting.add(stream);
    this.send();
  }

  /** Undefined for a stream that is closed; throws for one that was never opened. */
  find(id: number): Http2Stream | undefined {
    if (id % 2 === 1 && id < this.#nextId) return this.#open.get(id);
    throw new Http2Error(H2_ERROR.protocolError, `a frame for stream ${id}, which is none`);
  }

  /** Sends what the peer has room for: waiting heads first, then bodies, the oldest first. */
  send(): void {
    this.#socket.cork();
    for (const stream of this.#waiting) {
      if (this.#open.size >= this.#maxOpen) break;
      this.#waiting.delete(stream);
      this.#start(stream);
    }
    for (const stream of this.#open.values()) {
      if (!stream.isSent) this.#sendBody(stream);
      if (stream.isDone) this.end(stream, { kind: "complete" });
    }
    this.#socket.uncork();
  }

  /** Takes the stream out and tells its observer. */
  end(stream: Http2Stream, ending: StreamEnding): void {
    this.#remove(stream);
    stream.close(ending);
  }

  /** Takes the stream out and asks the peer to forget it. */
  cancel(stream: Http2Stream): void {
    this.#remove(stream);
    if (stream.id === 0) return;
    writeParts(this.#socket, numbersFrame(FRAME.resetStream, stream.id, [H2_ERROR.cancel]));
  }

  /** Ends all after this one: the peer never looked at them, and never will. */
  endAfter(lastId: number): void {
    const ending: StreamEnding = { kind: "reset", code: H2_ERROR.refusedStream, isUnread: true };
    for (const stream of [...this.#open.values(), ...this.#waiting]) {
      if (stream.id === 0 || stream.id > lastId) this.end(stream, ending);
    }
  }

  endAll(reason: string): void {
    for (const stream of [...this.#open.values(), ...this.#waiting]) {
      this.end(stream, { kind: "connection", reason, isUnread: stream.id === 0 });
    }
  }

  applySetting(id: number, value: number): void {
    if (id === SETTING.maxConcurrentStreams) this.#maxOpen = value;
    if (id === SETTING.maxHeaderListSize) this.#maxHeaderListBytes = value;
    if (id === SETTING.maxFrameSize) {
      if (value < MIN_MAX_FRAME_BYTES || value > MAX_MAX_FRAME_BYTES) {
        throw new Http2Error(H2_ERROR.protocolError, `a frame size of ${value} bytes`);
      }
      this.#maxFrameBytes = value;
    }
    if (id === SETTING.initialWindowSize) {
      const growth = checkWindow(value) - this.#streamWindow;
      this.#streamWindow = value;
      for (const stream of this.#open.values()) stream.sendWindow += growth;
    }
  }

  /** 0 stands for the connection as a whole. */
  growWindow(id: number, bytes: number): void {
    if (bytes === 0) throw new Http2Error(H2_ERROR.protocolError, "a window that grows by nothing");
    if (id === 0) this.#sendWindow = checkWindow(this.#sendWindow + bytes);
    const stream = id === 0 ? undefined : this.find(id);
    if (stream !== undefined) stream.sendWindow = checkWindow(stream.sendWindow + bytes);
    this.send();
  }

  #remove(stream: Http2Stream): void {
    this.#waiting.delete(stream);
    if (this.#open.delete(stream.id) && this.#waiting.size > 0) this.send();
  }

  #start(stream: Http2Stream): void {
    const { headerBlock } = stream;
    stream.id = this.#nextId;
    stream.sendWindow = this.#streamWindow;
    this.#nextId += 2;
    this.#open.set(stream.id, stream);
    for (let start = 0; start < headerBlock.length; start += MIN_MAX_FRAME_BYTES) {
      const part = headerBlock.subarray(start, start + MIN_MAX_FRAME_BYTES);
      const type = start === 0 ? FRAME.headers : FRAME.continuation;
      const flags = start + part.length === headerBlock.length ? FLAG.endHeaders : 0;
      writeParts(this.#socket, frameHead(type, flags, stream.id, part.length), part);
    }
  }

  #sendBody(stream: Http2Stream): void {
    while (!stream.isSent) {
      const room = Math.min(this.#sendWindow, stream.sendWindow, this.#maxFrameBytes);
      if (room <= 0) return;
      const parts = stream.take(room);
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      this.#sendWindow -= bytes;
      stream.sendWindow -= bytes;
      const flags = stream.isSent ? FLAG.endStream : 0;
      writeParts(this.#socket, frameHead(FRAME.data, flags, stream.id, bytes), ...parts);
    }
  }
}

function checkWindow(bytes: number): number {
  if (bytes <= MAX_31_BITS) return bytes;
  throw new Http2Error(H2_ERROR.flowControlError, "a window that is too large");
}
