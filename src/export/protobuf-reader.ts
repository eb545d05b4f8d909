/** Reads the few protobuf messages that servers answer with; any bytes are safe to read. */

/** Varint fields come as numbers, length-delimited fields as bytes; fixed-width fields are skipped. */
export type FieldVisitor = (field: number, value: number | Uint8Array) => void;

/** Varints of more bytes than these are malformed (protobuf encoding, "Base 128 Varints"). */
const MAX_VARINT_BYTES = 10;

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

/** Visits each field in order; false when the bytes are malformed, after the fields before the fault. */
export function readFields(bytes: Uint8Array, visit: FieldVisitor): boolean {
  const cursor: Cursor = { bytes, position: 0 };
  while (cursor.position < bytes.length) {
    const tag = readVarint(cursor);
    if (tag === undefined || !readField(cursor, tag, visit)) return false;
  }
  return true;
}

interface Cursor {
  readonly bytes: Uint8Array;
  position: number;
}

function readField(cursor: Cursor, tag: number, visit: FieldVisitor): boolean {
  const field = Math.floor(tag / 8);
  switch (tag % 8) {
    case WIRE_VARINT: {
      const value = readVarint(cursor);
      if (value === undefined) return false;
      visit(field, value);
      return true;
    }
    case WIRE_BYTES: {
      const length = readVarint(cursor);
      const start = cursor.position;
      if (length === undefined || !advance(cursor, length)) return false;
      visit(field, cursor.bytes.subarray(start, cursor.position));
      return true;
    }
    case WIRE_FIXED64:
      return advance(cursor, 8);
    case WIRE_FIXED32:
      return advance(cursor, 4);
    default:
      return false;
  }
}

function advance(cursor: Cursor, length: number): boolean {
  if (length > cursor.bytes.length - cursor.position) return false;
  cursor.position += length;
  return true;
}

/** Exact up to 2^53; a negative int64 comes out near 2^64, which no reader here takes for a count. */
function readVarint(cursor: Cursor): number | undefined {
  let value = 0;
  let scale = 1;
  for (let read = 0; read < MAX_VARINT_BYTES; read++) {
    const byte = cursor.bytes[cursor.position];
    if (byte === undefined) return undefined;
    cursor.position++;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  return undefined;
}
