/** Which records of an event the handler's answer names as failed. */
import { failedIdentifiers, identifierKey } from "./batch-response.ts";
import type { RecordDescription } from "./source.ts";

/** What a batch must know to tell its failed records. */
export type IsReported = (description: RecordDescription) => boolean;

/** No identifier's key: records of sources without partial answers are never named. */
const NO_KEY = "";

const NONE: IsReported = () => false;
const ALL: IsReported = () => true;

/**
 * Reads the answer once, for all records. A malformed list fails the whole batch, as Lambda takes it;
 * so does an identifier that no record has.
 */
export function readReport(
  result: unknown,
  isDelivered: (identifierKey: string) => boolean,
): IsReported {
  const identifiers = failedIdentifiers(result);
  if (identifiers === undefined) return NONE;
  if (identifiers === "all") return ALL;
  const failed = new Set(identifiers.map((identifier) => identifierKey(identifier) ?? NO_KEY));
  if (![...failed].every(isDelivered)) return ALL;
  return ({ itemIdentifier }) => failed.has(identifierKey(itemIdentifier) ?? NO_KEY);
}
