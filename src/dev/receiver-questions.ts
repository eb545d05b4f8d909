/** What tests and the runner ask a receiver about what arrived. */
import { type DuplicateSpan, findDuplicates, type ReceivedRequest } from "./received-request.ts";
import type { ReceivedSpan } from "./received-span.ts";
import type { SpanLedger } from "./span-ledger.ts";

const WAIT_TIMEOUT_MS = 5000;

/** What arrived. */
export interface ReceiverQuestions {
  /** Spans taken as accepted, in order of arrival. */
  spans(): readonly ReceivedSpan[];
  /** Every request that was read to its end, served or refused. */
  requests(): readonly ReceivedRequest[];
  /** Spans that were accepted more than once. */
  duplicates(): readonly DuplicateSpan[];
  /**
   * Resolves with all spans once there are `wanted` of them, or once the predicate holds.
   * Rejects after `timeoutMs` (default 5000) with a list of what did arrive.
   */
  waitForSpans(
    wanted: number | ((spans: readonly ReceivedSpan[]) => boolean),
    timeoutMs?: number,
  ): Promise<readonly ReceivedSpan[]>;
  /** The same for requests, recorded or not; the predicate is also asked when one is answered. */
  waitForRequests(
    wanted: number | ((requests: readonly ReceivedRequest[]) => boolean),
    timeoutMs?: number,
  ): Promise<readonly ReceivedRequest[]>;
  /** Forgets all of it; request indexes start from 0 again. */
  clear(): void;
}

/** The questions about one ledger. */
export function questions(ledger: SpanLedger): ReceiverQuestions {
  return {
    spans: () => [...ledger.spans],
    requests: () => [...ledger.requests],
    duplicates: () => findDuplicates(ledger.spans, ledger.requests),
    waitForSpans: (wanted, timeoutMs) => waitFor(ledger, "spans", wanted, timeoutMs),
    waitForRequests: (wanted, timeoutMs) => waitFor(ledger, "requests", wanted, timeoutMs),
    clear: () => ledger.clear(),
  };
}

async function waitFor<K extends "spans" | "requests">(
  ledger: SpanLedger,
  kind: K,
  wanted: number | ((items: SpanLedger[K]) => boolean),
  timeoutMs: number = WAIT_TIMEOUT_MS,
): Promise<SpanLedger[K]> {
  const isMet =
    typeof wanted === "number" ? () => ledger[kind].length >= wanted : () => wanted(ledger[kind]);
  const description = typeof wanted === "number" ? `${wanted} ${kind}` : `${kind} that fit`;
  await ledger.wait(isMet, description, timeoutMs);
  return [...ledger[kind]] as unknown as SpanLedger[K];
}
