/** Which source an event came from: the one list, in the order in which it is asked. */
import { isObject } from "./shape.ts";
import type { EventDescription, Source } from "./source.ts";
import { other } from "./sources/other.ts";
import { sqs } from "./sources/sqs.ts";

/** First match wins: shapes overlap, so the narrower one stands first. */
export const SOURCES: readonly Source[] = [sqs, other];

/** An event and where it came from. */
export interface DescribedEvent {
  /** The source's name, such as `sqs`; `other` for what none of them knows. */
  readonly source: string;
  readonly description: EventDescription;
  /** What a source threw on the event, for the caller to log; the description is `other`'s then. */
  readonly failure?: unknown;
}

/**
 * Recognises and describes an event.
 * Takes anything, `null` and primitives included, and never throws: what no source knows is `other`.
 */
export function describeEvent(event: unknown): DescribedEvent {
  if (!isObject(event)) return { source: other.name, description: other.describe({}) };
  try {
    const source = SOURCES.find((candidate) => candidate.match(event)) ?? other;
    return { source: source.name, description: source.describe(event) };
  } catch (failure) {
    return { source: other.name, description: other.describe({}), failure };
  }
}
