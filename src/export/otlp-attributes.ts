/** Attributes as protobuf `KeyValue` and `AnyValue` messages (opentelemetry-proto 1.11, common.proto). */
import type { Attributes } from "@opentelemetry/api";
import { BYTES, FIXED64, type ProtobufWriter, VARINT } from "./protobuf-writer.ts";

/** What is beyond these is a double for OTLP, integer or not. */
const MIN_INT64: number = -(2 ** 63);
const END_OF_INT64: number = 2 ** 63;

/** Whether OTLP writes the number as an integer. */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= MIN_INT64 && value < END_OF_INT64;
}

/** A repeated `KeyValue` field, in the attributes' order. */
export function writeAttributes(writer: ProtobufWriter, attributes: Attributes, tag: number): void {
  const keys = Object.keys(attributes);
  for (let index = keys.length - 1; index >= 0; index--) {
    const key = keys[index];
    if (key === undefined) continue;
    const { mark } = writer;
    writeAnyValue(writer, attributes[key], 2 * 8 + BYTES);
    writer.text(key, 1 * 8 + BYTES);
    writer.close(mark, tag);
  }
}

/** An `AnyValue` field; what OTLP has no type for is an empty one. */
function writeAnyValue(writer: ProtobufWriter, value: unknown, tag: number): void {
  const { mark } = writer;
  switch (typeof value) {
    case "string":
      writer.text(value, 1 * 8 + BYTES);
      break;
    case "boolean":
      writer.varint(value ? 1 : 0);
      writer.varint(2 * 8 + VARINT);
      break;
    case "number":
      writeNumber(writer, value);
      break;
    case "object":
      if (value !== null) writeObject(writer, value);
  }
  writer.close(mark, tag);
}

function writeNumber(writer: ProtobufWriter, value: number): void {
  if (isInt64(value)) {
    writer.int64(value);
    writer.varint(3 * 8 + VARINT);
    return;
  }
  writer.double(value);
  writer.varint(4 * 8 + FIXED64);
}

function writeObject(writer: ProtobufWriter, value: object): void {
  if (value instanceof Uint8Array) {
    writer.bytes(value, 7 * 8 + BYTES);
    return;
  }
  const { mark } = writer;
  if (!Array.isArray(value)) {
    writeAttributes(writer, value as Attributes, 1 * 8 + BYTES);
    writer.close(mark, 6 * 8 + BYTES);
    return;
  }
  for (let index = value.length - 1; index >= 0; index--) {
    writeAnyValue(writer, value[index], 1 * 8 + BYTES);
  }
  writer.close(mark, 5 * 8 + BYTES);
}
