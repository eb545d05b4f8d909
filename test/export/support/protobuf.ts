/** Just enough protobuf to write what servers answer with. */

/** A number becomes a varint field, everything else a length-delimited one. */
export function field(number: number, value: number | string | Uint8Array): Buffer {
  if (typeof value === "number") return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

export function varint(value: number): Buffer {
  const bytes = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** `google.rpc.Status` with a `RetryInfo` after another detail. */
export function statusWithRetryInfo(seconds: number, nanos = 0): Buffer {
  const delay = Buffer.concat([field(1, seconds), field(2, nanos)]);
  return Buffer.concat([
    field(1, 14),
    field(2, "come back later"),
    field(3, Buffer.concat([field(1, "type.googleapis.com/google.rpc.ErrorInfo"), field(2, "x")])),
    field(
      3,
      Buffer.concat([
        field(1, "type.googleapis.com/google.rpc.RetryInfo"),
        field(2, field(1, delay)),
      ]),
    ),
  ]);
}

/** `ExportTraceServiceResponse` with a partial success. */
export function partialSuccess(rejectedSpans: number, message: string): Buffer {
  const rejected = rejectedSpans === 0 ? Buffer.alloc(0) : field(1, rejectedSpans);
  return field(1, Buffer.concat([rejected, field(2, message)]));
}
