/** How an invocation ended, as far as its records care. */
import type { Span } from "@opentelemetry/api";
import type { Message } from "./batch-messages.ts";
import { failedIdentifiers, identifierKey } from "./batch-response.ts";
import { type Failure, failSpan, readFailure, recordFailure } from "./failure.ts";
import type { RecordScope } from "./record-scope.ts";

/** Whether the handler's answer names a record as failed. */
export type IsReported = (message: Pick<Message, "itemIdentifier">) => boolean;

export interface BatchOutcome {
  /** What the handler threw. */
  readonly failure: Failure | undefined;
  readonly isReported: IsReported;
}

/** `error.type` of a record that the handler's answer names, without an error of its own. */
const REPORTED = "batch_item_failure";

/** No identifier's key: records of sources without partial answers are never named. */
const NO_KEY = "";

export const NONE_REPORTED: IsReported = () => false;
const ALL_REPORTED: IsReported = () => true;

/**
 * Reads the answer once, for all records. A malformed list fails the whole batch, as Lambda takes it;
 * so does an identifier that no record has.
 */
export function readReport(
  result: unknown,
  isDelivered: (identifierKey: string) => boolean,
): IsReported {
  const identifiers = failedIdentifiers(result);
  if (identifiers === undefined) return NONE_REPORTED;
  if (identifiers === "all") return ALL_REPORTED;
  const failed = new Set(identifiers.map((identifier) => identifierKey(identifier) ?? NO_KEY));
  if (![...failed].every(isDelivered)) return ALL_REPORTED;
  return ({ itemIdentifier }) => failed.has(identifierKey(itemIdentifier) ?? NO_KEY);
}

/** What is known of a record when its span ends. */
export interface RecordEnd {
  readonly message: Message;
  /** Undefined when nobody asked for it. */
  readonly scope: RecordScope | undefined;
  /** Undefined while the invocation goes on. */
  readonly outcome: BatchOutcome | undefined;
  /** It is the batch's only record: what the handler threw, it threw over this one. */
  readonly isAlone: boolean;
}

/**
 * Marks a record's span when the record failed; one that no turn completed covers the invocation and
 * shares its outcome. The exception itself is recorded where it was thrown: a stack on each of 10,000
 * records would be megabytes of the same text.
 * @returns whether it failed.
 */
export function failRecord(span: Span, { message, scope, outcome, isAlone }: RecordEnd): boolean {
  if (scope?.hasFailed === true) {
    recordFailure(span, readFailure(scope.failure));
    return true;
  }
  if (outcome === undefined) return false;
  const { failure } = outcome;
  if (failure === undefined) {
    if (!outcome.isReported(message)) return false;
    failSpan(span, REPORTED, "reported in batchItemFailures");
    return true;
  }
  if (scope?.isCompleted === true) return false;
  if (isAlone || scope?.wasLeft === true) recordFailure(span, failure);
  else failSpan(span, failure.type, failure.message);
  return true;
}
