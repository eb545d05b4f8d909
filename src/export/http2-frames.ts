/** HTTP/2's frames (RFC 9113 §4, §6): writing their heads, and cutting what is received into them. */
import type { Socket } from "node:net";

export const FRAME = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  resetStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const FLAG = {
  ack: 0x1,
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

export const SETTING = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

/** Error codes (RFC 9113 §7). */
export const H2_ERROR = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  enhanceYourCalm: 0xb,
} as const;

/** What a client says first (RFC 9113 §3.4). */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** The least that every peer takes in one frame, and the most that this client takes. */
export const MIN_MAX_FRAME_BYTES = 16_384;
export const MAX_MAX_FRAME_BYTES = 16_777_215;

const HEAD_BYTES = 9;
const SETTING_BYTES = 6;
const PRIORITY_BYTES = 5;
/** The bit before a stream's number or a window's size means nothing and is ignored. */
const LOW_31_BITS = 0x7fff_ffff;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** A violation of the protocol that ends the connection. */
export class Http2Error extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The nine bytes before a payload of this length. */
export function frameHead(
  type: number,
  flags: number,
  streamId: number,
  payloadBytes: number,
): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUIntBE(payloadBytes, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return head;
}

/** A whole frame whose payload is this list of 32-bit numbers. */
export function numbersFrame(type: number, streamId: number, numbers: readonly number[]): Buffer {
  const payload = Buffer.allocUnsafe(numbers.length * 4);
  numbers.forEach((number, index) => {
    payload.writeUInt32BE(number, index * 4);
  });
  return Buffer.concat([frameHead(type, 0, streamId, payload.length), payload]);
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(settings.length * SETTING_BYTES);
  settings.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * SETTING_BYTES);
    payload.writeUInt32BE(value, index * SETTING_BYTES + 2);
  });
  return Buffer.concat([frameHead(FRAME.settings, 0, 0, payload.length), payload]);
}

/** Each setting of a SETTINGS payload; throws when the payload is no list of settings. */
export function readSettings(payload: Buffer): [id: number, value: number][] {
  if (payload.length % SETTING_BYTES !== 0) throw frameSizeError("SETTINGS");
  return Array.from({ length: payload.length / SETTING_BYTES }, (_, index) => [
    payload.readUInt16BE(index * SETTING_BYTES),
    payload.readUInt32BE(index * SETTING_BYTES + 2),
  ]);
}

/** The 31-bit number at this place of a payload; throws when the payload is shorter. */
export function readNumber(payload: Buffer, offset: number): number {
  if (payload.length < offset + 4) throw frameSizeError("a frame");
  return payload.readUInt32BE(offset) & LOW_31_BITS;
}

/** A frame's content without padding and priority (RFC 9113 §6.1, §6.2). */
export function withoutPadding({ type, flags, payload }: Frame): Buffer {
  let start = 0;
  let end = payload.length;
  if (type !== FRAME.continuation && flags & FLAG.padded) {
    end -= payload[0] ?? payload.length + 1;
    start = 1;
  }
  if (type === FRAME.headers && flags & FLAG.priority) start += PRIORITY_BYTES;
  if (start > end) throw new Http2Error(H2_ERROR.protocolError, "a frame is all padding");
  return payload.subarray(start, end);
}

/** A frame sent piece by piece: nothing is copied, and what is corked goes out at once. */
export function writeParts(socket: Socket, ...parts: readonly Uint8Array[]): void {
  socket.cork();
  for (const part of parts) socket.write(part);
  socket.uncork();
}

/** Cuts a stream of bytes into frames; the payloads are views of what was received. */
export class FrameReader {
  #rest: Buffer | undefined;

  /** Calls `take` for each frame that is complete now; throws when one is larger than allowed. */
  read(chunk: Buffer, take: (frame: Frame) => void): void {
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    while (bytes.length >= HEAD_BYTES) {
      const length = bytes.readUIntBE(0, 3);
      if (length > MIN_MAX_FRAME_BYTES) throw frameSizeError("a frame");
      const end = HEAD_BYTES + length;
      if (bytes.length < end) break;
      const streamId = bytes.readUInt32BE(5) & LOW_31_BITS;
      const payload = bytes.subarray(HEAD_BYTES, end);
      const [type = 0, flags = 0] = [bytes[3], bytes[4]];
      bytes = bytes.subarray(end);
      take({ type, flags, streamId, payload });
    }
    if (bytes.length > 0) this.#rest = bytes;
  }
}

function frameSizeError(what: string): Http2Error {
  return new Http2Error(H2_ERROR.frameSizeError, `${what} has a wrong size`);
}
