/** The format of a spool file: one line of JSON that describes the request, and the request's bytes. */

export interface SpoolEntry {
  /** The destination's name; holds no secret. */
  readonly destination: string;
  readonly request: Uint8Array;
  readonly spanCount: number;
  /** True when the receiver may have it already. */
  readonly mayRepeat: boolean;
}

interface Header {
  readonly version: 1;
  readonly destination: string;
  readonly spanCount: number;
  readonly mayRepeat: boolean;
  readonly byteLength: number;
  /** CRC-32 of the request's bytes. */
  readonly checksum: number;
}

const NEWLINE = 0x0a;
/** The header's own fields take 150 bytes; the rest is the destination's name. */
const MAX_HEADER_BYTES = 4_096;

export function encodeSpoolFile(entry: SpoolEntry): Uint8Array {
  const { destination, spanCount, mayRepeat, request } = entry;
  const header: Header = {
    version: 1,
    destination,
    spanCount,
    mayRepeat,
    byteLength: request.length,
    checksum: checksumOf(request),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), request]);
}

/** Undefined unless the file is whole and unchanged. */
export function parseSpoolFile(file: Uint8Array): SpoolEntry | undefined {
  const headerBytes = file.subarray(0, MAX_HEADER_BYTES).indexOf(NEWLINE);
  if (headerBytes === -1) return undefined;
  const header = parseHeader(Buffer.from(file.subarray(0, headerBytes)).toString("utf8"));
  const request = file.subarray(headerBytes + 1);
  if (header?.byteLength !== request.length || header.checksum !== checksumOf(request)) {
    return undefined;
  }
  const { destination, spanCount, mayRepeat } = header;
  return { destination, spanCount, mayRepeat, request };
}

function parseHeader(text: string): Header | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isHeader(value) ? value : undefined;
}

function isHeader(value: unknown): value is Header {
  const header = value as Partial<Header> | null;
  return (
    header?.version === 1 &&
    typeof header.destination === "string" &&
    Number.isSafeInteger(header.spanCount) &&
    Number(header.spanCount) > 0 &&
    typeof header.mayRepeat === "boolean" &&
    Number.isSafeInteger(header.byteLength) &&
    Number.isSafeInteger(header.checksum)
  );
}

/** Loaded here, as a process that neither crashed nor follows a crash needs no `zlib` (2 ms). */
function checksumOf(bytes: Uint8Array): number {
  return process.getBuiltinModule("node:zlib").crc32(bytes);
}
