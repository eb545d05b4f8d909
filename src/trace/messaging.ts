/** What the batch sources share: batches, and the attributes of a process span (messaging spans). */
import type { Attributes } from "@opentelemetry/api";
import { parseArn } from "./arn.ts";
import { put } from "./attributes.ts";
import {
  MESSAGING_DESTINATION_NAME,
  MESSAGING_OPERATION_NAME,
  MESSAGING_OPERATION_TYPE,
  MESSAGING_SYSTEM,
} from "./semconv.ts";
import { isObject, recordsOf } from "./shape.ts";
import type { Batch, EventObject, RecordDescription } from "./source.ts";

/** An event source mapping reads one queue or topic; more than a few in one event is not AWS's doing. */
export const MAX_DESTINATIONS = 10;

/** The attributes of a batch and of each of its records. */
export function messagingAttributes(system: string, destination: string | undefined): Attributes {
  const attributes: Attributes = {
    [MESSAGING_SYSTEM]: system,
    [MESSAGING_OPERATION_NAME]: "process",
    [MESSAGING_OPERATION_TYPE]: "process",
  };
  put(attributes, MESSAGING_DESTINATION_NAME, destination);
  return attributes;
}

/** Lists of records by key, such as Kafka's topic-partitions and RabbitMQ's queues. */
type RecordLists = readonly (readonly [key: string, records: readonly unknown[]])[];

/** The lists of an object of lists; other fields are left out. */
export function recordLists(byKey: unknown): RecordLists {
  if (!isObject(byKey)) return [];
  return Object.entries(byKey).filter((entry): entry is [string, unknown[]] =>
    Array.isArray(entry[1]),
  );
}

/** One batch per destination; one without a name when there are too many to be true. */
export function batchesByDestination(
  lists: RecordLists,
  system: string,
  destinationOf: (key: string, records: readonly unknown[]) => string | undefined,
  describeRecord: (record: unknown) => RecordDescription,
): readonly Batch[] {
  const byDestination = new Map<string | undefined, (readonly unknown[])[]>();
  for (const [key, records] of lists) {
    const destination = destinationOf(key, records);
    const arrays = byDestination.get(destination);
    if (arrays === undefined) byDestination.set(destination, [records]);
    else arrays.push(records);
  }
  if (byDestination.size > MAX_DESTINATIONS) {
    const arrays = lists.map(([, records]) => records);
    return [batchOf(system, undefined, arrays, describeRecord)];
  }
  return Array.from(byDestination, ([destination, arrays]) =>
    batchOf(system, destination, arrays, describeRecord),
  );
}

/** A batch with the attributes that every messaging system has. */
export function batchOf(
  system: string,
  destination: string | undefined,
  arrays: readonly (readonly unknown[])[],
  describeRecord: (record: unknown) => RecordDescription,
): Batch {
  const attributes = messagingAttributes(system, destination);
  return { system, destination, arrays, attributes, describeRecord };
}

/** True for the last event of a stream's tumbling window: it has state, but no record to tell whose. */
export function endsWindow(event: EventObject, service: string): boolean {
  return (
    isObject(event.window) &&
    recordsOf(event)?.length === 0 &&
    parseArn(event.eventSourceARN)?.service === service
  );
}
