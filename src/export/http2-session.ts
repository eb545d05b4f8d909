/**
 * HTTP/2 (RFC 9113) as far as a client needs it that sends requests with a body and reads small answers.
 *
 * `node:http2` loads 40 modules of Node, among them `assert`, `readline` and all of `crypto`: 25 ms of
 * cold start, more than all else that tracing costs. The runtime client has loaded `node:net` already.
 */
import type { Socket } from "node:net";
import { encodeHeaders, type HeaderList, measureHeaders } from "./hpack.ts";
import {
  FLAG,
  FRAME,
  type Frame,
  FrameReader,
  frameHead,
  H2_ERROR,
  Http2Error,
  numbersFrame,
  PREFACE,
  readNumber,
  readSettings,
  SETTING,
  settingsFrame,
  withoutPadding,
  writeParts,
} from "./http2-frames.ts";
import { Http2HeaderReader, MAX_HEADER_BYTES } from "./http2-header-reader.ts";
import { type AnswerObserver, Http2Stream } from "./http2-stream.ts";
import { DEFAULT_WINDOW_BYTES, Http2Streams } from "./http2-streams.ts";

export interface SessionObserver {
  /** Requests can be sent. */
  opened(): void;
  /** The connection is gone, and its streams know. Comes once. */
  closed(reason: Error): void;
}

/** Above the largest answer that is read, so that no stream's window need grow. */
const STREAM_WINDOW_BYTES = 8 * 1024 * 1024;
/** The peer gets the connection's window back when half of it is used up. */
const WINDOW_UPDATE_BYTES = DEFAULT_WINDOW_BYTES >> 1;
const PING_BYTES = 8;

export class Http2Session {
  readonly #socket: Socket;
  readonly #observer: SessionObserver;
  readonly #frames = new FrameReader();
  readonly #headers = new Http2HeaderReader();
  readonly #streams: Http2Streams;
  readonly #pings: (() => void)[] = [];
  #unreportedBytes = 0;
  #hasSettings = false;
  #isClosing = false;
  #failure: Error | undefined;

  /** Takes over a socket that is connecting; with `isSecure` it is one of `node:tls`. */
  constructor(socket: Socket, isSecure: boolean, observer: SessionObserver) {
    this.#socket = socket;
    this.#observer = observer;
    this.#streams = new Http2Streams(socket);
    socket.once(isSecure ? "secureConnect" : "connect", () => this.#open(isSecure));
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => {
      this.#failure ??= error;
    });
    socket.once("end", () => {
      this.#isClosing = true;
    });
    socket.once("close", () => this.#closed());
    // A request's own timer keeps the event loop alive; an idle connection must not.
    socket.unref();
  }

  /** False once the connection takes no new requests: closed, closing, or told to go away. */
  get isUsable(): boolean {
    return !this.#isClosing && !this.#socket.destroyed && !this.#streams.isExhausted;
  }

  /** Why the peer will not take these headers; undefined when it will, or has not said. */
  findExcess(headers: HeaderList): string | undefined {
    const bytes = measureHeaders(headers);
    const { maxHeaderListBytes } = this.#streams;
    if (bytes <= maxHeaderListBytes) return undefined;
    return `The headers take ${bytes} bytes, and the server takes ${maxHeaderListBytes}`;
  }

  /** Sends a request; after others, where the peer allows no more at once. For usable sessions only. */
  request(headers: HeaderList, body: readonly Uint8Array[], observer: AnswerObserver): Http2Stream {
    const stream = new Http2Stream(encodeHeaders(headers), body, observer, () => {
      this.#streams.cancel(stream);
      this.#endWhenIdle();
    });
    this.#streams.add(stream);
    return stream;
  }

  /** Asks for a sign of life. */
  ping(answered: () => void): void {
    this.#pings.push(answered);
    writeParts(this.#socket, frameHead(FRAME.ping, 0, 0, PING_BYTES), Buffer.alloc(PING_BYTES));
  }

  /** Lets the exchanges under way finish, and takes no new ones. */
  close(): void {
    this.#isClosing = true;
    this.#endWhenIdle();
  }

  /** Ends at once; exchanges under way fail for this reason. */
  destroy(reason?: Error): void {
    this.#failure ??= reason;
    this.#socket.destroy();
  }

  #open(isSecure: boolean): void {
    if (isSecure && (this.#socket as Socket & { alpnProtocol?: unknown }).alpnProtocol !== "h2") {
      this.destroy(new Error("The server does not offer HTTP/2 over TLS"));
      return;
    }
    const settings = settingsFrame([
      [SETTING.headerTableSize, 0],
      [SETTING.enablePush, 0],
      [SETTING.initialWindowSize, STREAM_WINDOW_BYTES],
      [SETTING.maxHeaderListSize, MAX_HEADER_BYTES],
    ]);
    writeParts(this.#socket, Buffer.from(PREFACE, "latin1"), settings);
    this.#observer.opened();
  }

  #receive(chunk: Buffer): void {
    try {
      this.#frames.read(chunk, (frame) => {
        if (!this.#socket.destroyed) this.#take(frame);
      });
    } catch (error) {
      // Thrown on, it would end the user's process; so it is the connection's failure, whatever it is.
      const code = error instanceof Http2Error ? error.code : H2_ERROR.internalError;
      writeParts(this.#socket, numbersFrame(FRAME.goAway, 0, [0, code]));
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
    this.#endWhenIdle();
  }

  #take(frame: Frame): void {
    if (!this.#hasSettings && frame.type !== FRAME.settings) {
      throw new Http2Error(H2_ERROR.protocolError, "The server does not speak HTTP/2");
    }
    if (this.#headers.isReading && frame.type !== FRAME.continuation) {
      throw new Http2Error(H2_ERROR.protocolError, "headers that are interrupted");
    }
    const { type, streamId, payload } = frame;
    switch (type) {
      case FRAME.data:
        this.#takeData(frame);
        break;
      case FRAME.headers:
      case FRAME.continuation:
        this.#takeHeaders(frame);
        break;
      case FRAME.resetStream:
        this.#takeReset(streamId, readNumber(payload, 0));
        break;
      case FRAME.settings:
        this.#takeSettings(frame);
        break;
      case FRAME.ping:
        this.#takePing(frame);
        break;
      case FRAME.goAway:
        this.#isClosing = true;
        this.#streams.endAfter(readNumber(payload, 0));
        break;
      case FRAME.windowUpdate:
        this.#streams.growWindow(streamId, readNumber(payload, 0));
        break;
      case FRAME.pushPromise:
        throw new Http2Error(H2_ERROR.protocolError, "a push that was not allowed");
      default: // Priorities, and extensions that nobody asked for (§5.5).
    }
  }

  #takeData(frame: Frame): void {
    const stream = this.#streams.find(frame.streamId);
    this.#unreportedBytes += frame.payload.length;
    if (this.#unreportedBytes >= WINDOW_UPDATE_BYTES) {
      writeParts(this.#socket, numbersFrame(FRAME.windowUpdate, 0, [this.#unreportedBytes]));
      this.#unreportedBytes = 0;
    }
    stream?.receiveData(withoutPadding(frame));
    if (frame.flags & FLAG.endStream) this.#endAnswer(stream);
  }

  #takeHeaders(frame: Frame): void {
    const stream = this.#streams.find(frame.streamId);
    const received = this.#headers.read(frame);
    if (received === undefined || stream === undefined) return;
    const { fields, isLast } = received;
    if (fields === undefined) {
      this.#streams.cancel(stream);
      stream.close({ kind: "headers-too-large" });
      return;
    }
    // 1xx says that the answer is still to come (RFC 9110 §15.2).
    if (!fields.get(":status")?.startsWith("1")) stream.receiveHeaders(fields);
    if (isLast) this.#endAnswer(stream);
  }

  #endAnswer(stream: Http2Stream | undefined): void {
    stream?.receiveEnd();
    if (stream?.isDone) this.#streams.end(stream, { kind: "complete" });
  }

  #takeReset(streamId: number, code: number): void {
    const stream = this.#streams.find(streamId);
    const isUnread = code === H2_ERROR.refusedStream;
    if (stream !== undefined) this.#streams.end(stream, { kind: "reset", code, isUnread });
  }

  #takeSettings({ flags, payload }: Frame): void {
    this.#hasSettings = true;
    if (flags & FLAG.ack) return;
    for (const [id, value] of readSettings(payload)) this.#streams.applySetting(id, value);
    writeParts(this.#socket, frameHead(FRAME.settings, FLAG.ack, 0, 0));
    this.#streams.send();
  }

  #takePing({ flags, payload }: Frame): void {
    if (payload.length !== PING_BYTES) {
      throw new Http2Error(H2_ERROR.frameSizeError, "a ping has a wrong size");
    }
    if (flags & FLAG.ack) this.#pings.shift()?.();
    else writeParts(this.#socket, frameHead(FRAME.ping, FLAG.ack, 0, PING_BYTES), payload);
  }

  #endWhenIdle(): void {
    if (this.#isClosing && this.#streams.isIdle && !this.#socket.destroyed) this.#socket.end();
  }

  #closed(): void {
    this.#isClosing = true;
    const reason = this.#failure ?? new Error("The connection was closed");
    this.#streams.endAll(reason.message);
    this.#observer.closed(reason);
  }
}
