/** The records of an event as ordered groups: what may run side by side, and what may not. */
import type { Batch, RecordDescription } from "./source.ts";

export interface Item {
  readonly record: unknown;
  readonly position: number;
  readonly description: RecordDescription;
}

/** Records that must keep their order, together; all others alone. */
export function groupItems(batches: readonly Batch[]): Item[][] {
  const groups: Item[][] = [];
  const ordered = new Map<string, Item[]>();
  for (const batch of batches) {
    let position = 0;
    for (const records of batch.arrays) {
      for (let index = 0; index < records.length; index++) {
        const record = records[index];
        if (batch.owns?.(record) === false) continue;
        const description = batch.describeRecord(record);
        const item: Item = { record, position: position++, description };
        if (description.group === undefined) {
          groups.push([item]);
          continue;
        }
        const key = `${batch.destination}/${description.group}`;
        const group = ordered.get(key);
        if (group !== undefined) {
          group.push(item);
          continue;
        }
        const started = [item];
        ordered.set(key, started);
        groups.push(started);
      }
    }
  }
  return groups;
}
