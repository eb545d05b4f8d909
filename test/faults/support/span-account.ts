/** Compares what a function should have sent with what the receiver has. */
import type { OtlpReceiver } from "../../../src/dev/otlp-receiver.ts";
import type { DuplicateSpan } from "../../../src/dev/received-request.ts";
import type { ReceivedSpan } from "../../../src/dev/received-span.ts";

/** An invocation whose spans are to arrive. */
export interface MadeInvocation {
  readonly requestId: string;
  readonly n: number;
  /** Spans that the handler ended, beside the invocation's own. */
  readonly spans: number;
}

export interface SpanAccount {
  readonly expected: number;
  /** Expected spans that came, each counted once. */
  readonly arrived: number;
  /** Names of expected spans that did not come. */
  readonly missing: readonly string[];
  /** Names of spans that came and were not expected. */
  readonly unexpected: readonly string[];
  /** Spans that came again after an answer: the sender's mistake. */
  readonly doubled: readonly DuplicateSpan[];
  /** Spans that came again because their answer was lost. */
  readonly repeated: readonly DuplicateSpan[];
  /** Names of spans in another trace than that of their invocation. */
  readonly misplaced: readonly string[];
}

/** The part of a receiver that an account needs. */
export type Received = Pick<OtlpReceiver, "spans" | "duplicates">;

/** `coldStarts`: how many processes had a first invocation, which makes a span of their init. */
export function accountSpans(
  receiver: Received,
  invocations: readonly MadeInvocation[],
  coldStarts: number,
): SpanAccount {
  const received = uniqueSpans(receiver.spans());
  const wanted = new Set(invocations.flatMap(wantedNames));
  for (let i = 0; i < coldStarts; i++) wanted.add(`init #${i}`);
  const found = nameSpans(received, new Map(invocations.map(({ requestId, n }) => [requestId, n])));
  const duplicates = receiver.duplicates();
  return {
    expected: wanted.size,
    arrived: [...wanted].filter((name) => found.has(name)).length,
    missing: [...wanted].filter((name) => !found.has(name)),
    unexpected: [...found.keys()].filter((name) => !wanted.has(name)),
    doubled: duplicates.filter(({ afterAnswer }) => afterAnswer),
    repeated: duplicates.filter(({ afterAnswer }) => !afterAnswer),
    misplaced: misplacedNames(found, invocations),
  };
}

/** As {@link SpanAccount.expected}. */
export function countExpected(invocations: readonly MadeInvocation[], coldStarts: number): number {
  return invocations.reduce((sum, { spans }) => sum + 1 + spans, coldStarts);
}

function wantedNames({ n, spans }: MadeInvocation): string[] {
  return [`invocation ${n}`, ...Array.from({ length: spans }, (_, i) => `work ${n}.${i}`)];
}

function uniqueSpans(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  return [...new Map(spans.map((span) => [`${span.traceId}:${span.spanId}`, span])).values()];
}

/** Spans whose names should differ and do not get a number, and so show up as unexpected. */
function nameSpans(
  spans: readonly ReceivedSpan[],
  numbers: ReadonlyMap<unknown, number>,
): Map<string, ReceivedSpan> {
  const named = new Map<string, ReceivedSpan>();
  const counts = new Map<string, number>();
  for (const span of spans) {
    const requestId = span.attributes["faas.invocation_id"];
    const number = numbers.get(requestId) ?? requestId;
    const name = span.kind === "SERVER" ? `invocation ${number}` : span.name;
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    named.set(count > 0 || name === "init" ? `${name} #${count}` : name, span);
  }
  return named;
}

function misplacedNames(
  found: ReadonlyMap<string, ReceivedSpan>,
  invocations: readonly MadeInvocation[],
): string[] {
  return invocations.flatMap((invocation) => {
    const [own = "", ...work] = wantedNames(invocation);
    const traceId = found.get(own)?.traceId;
    if (traceId === undefined) return [];
    return work.filter((name) => (found.get(name)?.traceId ?? traceId) !== traceId);
  });
}
