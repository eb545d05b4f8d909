/** The names of coldspan's spans: the user's, or the default when there is none or it fails. */
import { warnOnce } from "../diag.ts";
import type { SpanName, SpanNames } from "./options.ts";
import type { Batch } from "./source.ts";

/** `process {queue}`: messaging spans are `{operation} {destination}` (semantic conventions). */
export function processName(batch: Batch): string {
  return batch.destination === undefined ? "process" : `process ${batch.destination}`;
}

/** The user's name for a span, or `fallback`. Never throws. */
export function resolveName<Args extends unknown[]>(
  kind: keyof SpanNames,
  name: SpanName<Args> | undefined,
  fallback: string,
  ...args: Args
): string {
  if (name === undefined) return fallback;
  if (typeof name === "string") return name;
  try {
    const made: unknown = name(...args);
    if (typeof made === "string" && made !== "") return made;
    warnOnce(
      `names.${kind}`,
      `names.${kind}: expected the function to return a non-empty string, got ${typeof made}; using "${fallback}"`,
    );
  } catch (error) {
    warnOnce(
      `names.${kind}`,
      `names.${kind}: the function threw ${String(error)}; using "${fallback}"`,
    );
  }
  return fallback;
}
