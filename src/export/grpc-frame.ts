/** gRPC's message framing: one flag byte and a 32-bit length before each message (gRPC over HTTP/2, "Requests"). */

export const FRAME_PREFIX_BYTES = 5;

/** The five bytes before a message of this length. */
export function framePrefix(messageBytes: number, compressed: boolean): Uint8Array {
  const prefix = new Uint8Array(FRAME_PREFIX_BYTES);
  prefix[0] = compressed ? 1 : 0;
  new DataView(prefix.buffer).setUint32(1, messageBytes);
  return prefix;
}

/** The one uncompressed message in an answer's body; undefined when it is anything else. */
export function readFrame(body: Uint8Array): Uint8Array | undefined {
  if (body.length < FRAME_PREFIX_BYTES || body[0] !== 0) return undefined;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(1);
  return body.length === FRAME_PREFIX_BYTES + length
    ? body.subarray(FRAME_PREFIX_BYTES)
    : undefined;
}
