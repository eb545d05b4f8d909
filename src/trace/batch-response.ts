/** What a batch handler's answer says about its records (`ReportBatchItemFailures`). */
import { isObject } from "./shape.ts";

/**
 * The items an answer reports as failed, as its `itemIdentifier`s.
 * `undefined`: none, also for an answer of any other shape. `"all"`: the list is malformed (no list, or an
 * identifier that is missing, `null`, empty or under another key), for which Lambda retries the whole batch.
 * An identifier that no record has means the same to SQS; only who holds the records can see that.
 */
export function failedIdentifiers(result: unknown): readonly unknown[] | "all" | undefined {
  try {
    const failures = isObject(result) ? result.batchItemFailures : undefined;
    if (failures === undefined || failures === null) return undefined;
    if (!Array.isArray(failures)) return "all";
    const identifiers = failures.map((failure: unknown) =>
      isObject(failure) ? failure.itemIdentifier : undefined,
    );
    if (identifiers.length === 0) return undefined;
    return identifiers.every((identifier) => identifierKey(identifier) !== undefined)
      ? identifiers
      : "all";
  } catch {
    // A getter of the handler's own object threw: the runtime will fail to serialize it, and say so.
    return undefined;
  }
}

/**
 * A text by which identifiers can be looked up: equal for equal message ids, sequence numbers, or Kafka's
 * `{ partition: "topic-0", offset: 7 }`; `undefined` for what identifies nothing.
 */
export function identifierKey(identifier: unknown): string | undefined {
  if (typeof identifier === "string") return identifier || undefined;
  if (!isObject(identifier)) return undefined;
  const { partition, offset } = identifier;
  if (typeof partition !== "string" || typeof offset !== "number") return undefined;
  return `${partition}\n${offset}`;
}
