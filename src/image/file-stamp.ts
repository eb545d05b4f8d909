/** Telling whether a file still has the text that its compiled code was made from. */
import { dirname } from "node:path";
import { OWN_FILE } from "../own-file.ts";

export const STAMP_LENGTH = 16;
/** The last line of each of coldspan's files: a comment with a digest of all before it. */
const OWN_STAMP = /\n\/\/([0-9a-f]{16})\n$/;
const OWN_FILES = `${dirname(OWN_FILE)}/`;

/** Whether the file is coldspan's. */
export function isOwnFile(filename: string): boolean {
  return filename.startsWith(OWN_FILES);
}

/**
 * 16 characters that change with the text: V8 itself compares no more than its length.
 *
 * Of coldspan's own files it is the digest that the build wrote into them, because `node:zlib`, which
 * can compute one, takes 2 ms to load where nothing else does.
 */
export function stampOf(content: string, filename: string): string {
  if (isOwnFile(filename)) {
    const own = OWN_STAMP.exec(content.slice(-2 * STAMP_LENGTH))?.[1];
    if (own !== undefined) return own;
  }
  const { crc32 } = process.getBuiltinModule("node:zlib");
  return hex(crc32(content)) + hex(content.length);
}

function hex(value: number): string {
  return value.toString(16).padStart(STAMP_LENGTH / 2, "0");
}
