/**
 * HPACK (RFC 7541) without a dynamic table: this client asks for none and keeps none, so that a block
 * of headers can be read, or left unread, without regard to the ones before.
 */
import { H2_ERROR, Http2Error } from "./http2-frames.ts";
import { decodeHuffman } from "./huffman.ts";

/** Names in lower case, one character per byte; of a name that occurs twice, the first. */
export type HeaderFields = ReadonlyMap<string, string>;

/** In lower case, what begins with a colon first (RFC 9113 §8.3). */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Appendix A: the entries from 1 on, with `=` before the value where there is one. */
const STATIC_TABLE = `
:authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200
:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset
accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow
authorization|cache-control|content-disposition|content-encoding|content-language|content-length
content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match
if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards
proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie
strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate`
  .trim()
  .split(/[|\n]/)
  .map((entry) => {
    const [, name = "", value = ""] = /^(:?[^=]+)=?(.*)$/.exec(entry) ?? [];
    return { name, value };
  });

/** What a field counts beside its text. */
const FIELD_OVERHEAD_BYTES = 32;

const INDEXED = 0x80;
const WITH_INDEXING = 0x40;
const TABLE_SIZE_UPDATE = 0x20;
const NEVER_INDEXED = 0x10;
const HUFFMAN = 0x80;
/** Integers of more bytes than this are no sizes of anything that fits into a block. */
const MAX_INTEGER_BYTES = 4;

/** The block of these fields: each as a literal that proxies must not put into their tables either (§6.2.3). */
export function encodeHeaders(fields: HeaderList): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) {
    parts.push(Buffer.of(NEVER_INDEXED), literal(name), literal(value));
  }
  return Buffer.concat(parts);
}

/** The size that peers limit (RFC 9113 §6.5.2). */
export function measureHeaders(fields: HeaderList): number {
  return fields.reduce(
    (sum, [name, value]) => sum + name.length + value.length + FIELD_OVERHEAD_BYTES,
    0,
  );
}

/** Throws when the block is not valid: the connection cannot go on then (RFC 9113 §4.3). */
export function decodeHeaders(block: Uint8Array): HeaderFields {
  return new Decoder(block).read();
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([encodeInteger(bytes.length), bytes]);
}

/** With a prefix of seven bits (§5.1). */
function encodeInteger(value: number): Buffer {
  const max = 0x7f;
  if (value < max) return Buffer.of(value);
  const bytes = [max];
  let rest = value - max;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

class Decoder {
  readonly #block: Uint8Array;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  read(): HeaderFields {
    const fields = new Map<string, string>();
    while (this.#at < this.#block.length) {
      const field = this.#field();
      if (field !== undefined && !fields.has(field.name)) fields.set(field.name, field.value);
    }
    return fields;
  }

  #field(): { readonly name: string; readonly value: string } | undefined {
    const kind = this.#block[this.#at] ?? 0;
    if (kind & INDEXED) return this.#entry(this.#integer(7));
    if (kind & WITH_INDEXING) return this.#literal(6);
    if (!(kind & TABLE_SIZE_UPDATE)) return this.#literal(4);
    if (this.#integer(5) > 0) throw invalid("a dynamic table that was not offered");
    return undefined;
  }

  #literal(prefixBits: number): { readonly name: string; readonly value: string } {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#entry(index).name;
    return { name, value: this.#string() };
  }

  #entry(index: number): { readonly name: string; readonly value: string } {
    const entry = STATIC_TABLE[index - 1];
    if (entry === undefined) throw invalid(`no header ${index}`);
    return entry;
  }

  #integer(prefixBits: number): number {
    const max = (1 << prefixBits) - 1;
    const prefix = this.#byte() & max;
    if (prefix < max) return prefix;
    let value = max;
    for (let count = 0; count < MAX_INTEGER_BYTES; count++) {
      const byte = this.#byte();
      value += (byte & 0x7f) << (7 * count);
      if (byte < 0x80) return value;
    }
    throw invalid("a number too large");
  }

  #string(): string {
    const isHuffman = ((this.#block[this.#at] ?? 0) & HUFFMAN) !== 0;
    const length = this.#integer(7);
    const bytes = this.#block.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw invalid("a string beyond the end");
    this.#at += length;
    const text = isHuffman ? decodeHuffman(bytes) : Buffer.from(bytes).toString("latin1");
    if (text === undefined) throw invalid("a string that is no Huffman code");
    return text;
  }

  #byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw invalid("a block that ends too early");
    this.#at++;
    return byte;
  }
}

function invalid(what: string): Http2Error {
  return new Http2Error(H2_ERROR.compressionError, `the headers hold ${what}`);
}
