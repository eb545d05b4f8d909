/** `google.rpc.Status` with `google.rpc.RetryInfo`, encoded by hand: five fields need no definitions. */

const RETRY_INFO_TYPE = "type.googleapis.com/google.rpc.RetryInfo";
const NANOS_PER_MS = 1e6;
const MS_PER_SECOND = 1000;
const WIRE_VARINT = 0;
const WIRE_BYTES = 2;

export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  /** The server's wish for the next attempt; absent: no RetryInfo. */
  readonly retryDelayMs?: number;
}

/** Encodes a status as protobuf: code = 1, message = 2, details = 3 (`google.protobuf.Any`). */
export function encodeRpcStatus({ code, message, retryDelayMs }: RpcStatus): Buffer {
  const fields = [varintField(1, code), bytesField(2, Buffer.from(message, "utf8"))];
  if (retryDelayMs !== undefined) {
    const any = [
      bytesField(1, Buffer.from(RETRY_INFO_TYPE)),
      bytesField(2, bytesField(1, encodeDuration(retryDelayMs))),
    ];
    fields.push(bytesField(3, Buffer.concat(any)));
  }
  return Buffer.concat(fields);
}

/** `google.protobuf.Duration`: seconds = 1, nanos = 2. */
function encodeDuration(ms: number): Buffer {
  const seconds = Math.floor(ms / MS_PER_SECOND);
  const nanos = Math.round((ms - seconds * MS_PER_SECOND) * NANOS_PER_MS);
  return Buffer.concat([varintField(1, seconds), varintField(2, nanos)]);
}

function varintField(field: number, value: number): Buffer {
  return Buffer.concat([encodeVarint((field << 3) | WIRE_VARINT), encodeVarint(value)]);
}

function bytesField(field: number, bytes: Buffer): Buffer {
  const tag = encodeVarint((field << 3) | WIRE_BYTES);
  return Buffer.concat([tag, encodeVarint(bytes.length), bytes]);
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}
