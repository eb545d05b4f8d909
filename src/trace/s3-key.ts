import { text } from "./shape.ts";

/** An object key as S3 events write it, decoded: `+` is a space, the rest is percent-encoded. */
export function decodeKey(key: unknown): string | undefined {
  const encoded = text(key);
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    // Not encoded after all (or cut inside a sequence): as it came is the best name there is.
    return encoded;
  }
}
