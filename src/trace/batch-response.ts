import type { RecordDescription } from "./source.ts";
export function reportedFailures(result: unknown): ((d: RecordDescription) => boolean) | undefined {
  const f = (result as { batchItemFailures?: { itemIdentifier: unknown }[] } | null | undefined)
    ?.batchItemFailures;
  if (!Array.isArray(f)) return undefined;
  const ids = new Set(f.map((x) => x?.itemIdentifier));
  return (d) => ids.has(d.itemIdentifier);
}
