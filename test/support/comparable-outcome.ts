/** What must be equal of a function with and without something of ours in its process. */
import type { Outcome } from "./one-invocation.ts";

/** Node's steps to a statically imported module differ from those to a dynamically imported one. */
const LOADER_FRAME = / {4}at [^"(]*\(?node:(?:internal\/modules\/esm|diagnostics_channel)[^"]*/g;

/** Without times, and without the lines that a preload itself writes. */
export function comparable({ stdout, answer, ...outcome }: Outcome, ownLines?: RegExp): unknown {
  const log = stdout
    .split("\n")
    .filter((line) => ownLines === undefined || !ownLines.test(line))
    .map((line) => line.replace(/^\S+Z/, "<time>"));
  const text = JSON.stringify({ ...outcome, answer, log }, (_key, value: unknown) =>
    typeof value === "string" ? value.replaceAll(LOADER_FRAME, "<loader>") : value,
  );
  return JSON.parse(text);
}
