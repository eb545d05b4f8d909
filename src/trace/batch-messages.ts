/** The messages of one batch: what was read of each, and how to find it again. */
import { identifierKey } from "./batch-response.ts";
import { NOTHING_SENT, type ReadSent, type Sent } from "./sent.ts";
import type { Batch, RecordDescription } from "./source.ts";

/** Position of an array's record that belongs to another batch. */
const ELSEWHERE = -1;

/** A record's description, with its carrier read. */
export interface Message extends Omit<RecordDescription, "carrier" | "group">, Sent {
  readonly record: unknown;
}

export class BatchMessages {
  readonly list: readonly Message[];
  /** Where each array's records are in the list. */
  readonly #positions = new Map<readonly unknown[], readonly number[]>();
  #byRecord: ReadonlyMap<unknown, number> | undefined;
  #byMessageId: ReadonlyMap<string | undefined, number> | undefined;
  #identifierKeys: ReadonlySet<string | undefined> | undefined;

  constructor(batch: Batch, readSent: ReadSent) {
    const list: Message[] = [];
    for (const records of batch.arrays) {
      const positions = Array.from(records, (record) =>
        batch.owns?.(record) === false
          ? ELSEWHERE
          : list.push(readMessage(batch, record, readSent)) - 1,
      );
      this.#positions.set(records, positions);
    }
    this.list = list;
  }

  /** The event's own arrays that hold the records. */
  get arrays(): Iterable<readonly unknown[]> {
    return this.#positions.keys();
  }

  /** Position of the record that is now at an index of one of the arrays: handlers sort and splice. */
  positionIn(records: readonly unknown[], index: number): number | undefined {
    const record = records[index];
    const delivered = this.#positions.get(records)?.[index] ?? ELSEWHERE;
    if (this.list[delivered]?.record === record) return delivered;
    this.#byRecord ??= new Map(this.list.map((message, position) => [message.record, position]));
    return this.#byRecord.get(record);
  }

  /** Position of a record: where it is said to be, or for a copy of the event by message id. */
  positionOf(record: unknown, position: number, messageId: string | undefined): number | undefined {
    if (this.list[position]?.record === record) return position;
    if (messageId === undefined) return undefined;
    this.#byMessageId ??= new Map(this.list.map((message, index) => [message.messageId, index]));
    return this.#byMessageId.get(messageId);
  }

  /** Whether one of the records is called so in `batchItemFailures`. */
  delivers(key: string): boolean {
    this.#identifierKeys ??= new Set(
      this.list.map(({ itemIdentifier }) => identifierKey(itemIdentifier)),
    );
    return this.#identifierKeys.has(key);
  }
}

function readMessage(batch: Batch, record: unknown, readSent: ReadSent): Message {
  const description = batch.describeRecord(record);
  const { carrier } = description;
  const sent = carrier === undefined ? NOTHING_SENT : readSent(carrier);
  return {
    record,
    messageId: description.messageId,
    attributes: description.attributes,
    sentAtMs: description.sentAtMs,
    itemIdentifier: description.itemIdentifier,
    context: sent.context,
    producer: sent.producer,
    isParent: sent.isParent,
  };
}
