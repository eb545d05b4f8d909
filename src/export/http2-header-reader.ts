/** Puts the header blocks of a connection together: one HEADERS frame, and what continues it (RFC 9113 §4.3). */
import { decodeHeaders, type HeaderFields } from "./hpack.ts";
import { FLAG, FRAME, type Frame, H2_ERROR, Http2Error, withoutPadding } from "./http2-frames.ts";

export interface ReceivedHeaders {
  readonly streamId: number;
  /** True when nothing follows them on their stream. */
  readonly isLast: boolean;
  /** Undefined when there was more than is read. */
  readonly fields: HeaderFields | undefined;
}

/** Of an answer's head or trailers, encoded. Servers send some hundred bytes. */
export const MAX_HEADER_BYTES = 65_536;

export class Http2HeaderReader {
  #streamId = 0;
  #isLast = false;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** True in the middle of a block, where no other frame may come. */
  get isReading(): boolean {
    return this.#streamId !== 0;
  }

  /** What is complete with this HEADERS or CONTINUATION frame. */
  read(frame: Frame): ReceivedHeaders | undefined {
    const { type, flags, streamId } = frame;
    const isFirst = type === FRAME.headers;
    if (isFirst === this.isReading || (!isFirst && streamId !== this.#streamId)) {
      throw new Http2Error(H2_ERROR.protocolError, "headers out of order");
    }
    if (isFirst) {
      this.#streamId = streamId;
      this.#isLast = (flags & FLAG.endStream) !== 0;
    }
    const part = withoutPadding(frame);
    this.#bytes += part.length;
    if (this.#bytes <= MAX_HEADER_BYTES) this.#parts.push(part);
    return flags & FLAG.endHeaders ? this.#finish() : undefined;
  }

  #finish(): ReceivedHeaders {
    const [streamId, isLast, parts] = [this.#streamId, this.#isLast, this.#parts];
    const isWhole = this.#bytes <= MAX_HEADER_BYTES;
    this.#streamId = 0;
    this.#parts = [];
    this.#bytes = 0;
    return { streamId, isLast, fields: isWhole ? decodeHeaders(Buffer.concat(parts)) : undefined };
  }
}
