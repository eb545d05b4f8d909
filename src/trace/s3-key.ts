import { percentDecode, text } from "./shape.ts";

/** An object key as S3 events write it, decoded: `+` is a space, the rest is percent-encoded. */
export function decodeKey(key: unknown): string | undefined {
  const encoded = text(key);
  return encoded === undefined ? undefined : percentDecode(encoded.replaceAll("+", " "));
}
