/** Many small requests one after the other on several lanes, while something happens to the server. */
import { expect } from "vitest";
import type { Destination, SendOutcome } from "../../../src/export/destination.ts";
import { sha256 } from "./grpc-peer.ts";
import { encode, makeSpans } from "./spans.ts";

/** By what a request is known again: its bytes, or the one span in it. */
interface RequestIds {
  readonly sha256: string;
  readonly spanId: string;
}

export interface BurstRequest extends RequestIds {
  readonly outcome: SendOutcome;
}

export interface Burst {
  /** Sends go on until this is called; resolves to all of them. */
  end(): Promise<readonly BurstRequest[]>;
  /** Resolves when so many more requests have been settled. */
  reach(count: number): Promise<void>;
}

const TIMEOUT_MS = 8000;

/** Sends one span and says what became of it. */
export async function sendOne(destination: Destination): Promise<BurstRequest> {
  const spans = makeSpans(1);
  const request = encode(destination, spans);
  const outcome = await destination.send(request, TIMEOUT_MS);
  const [spanId = ""] = spans.map((span) => span.spanContext().spanId);
  return { sha256: sha256(request), spanId, outcome };
}

/** Each lane sends a request of one span as soon as its last one is settled. */
export function startBurst(destination: Destination, lanes: number): Burst {
  const settled: BurstRequest[] = [];
  let isOver = false;
  let waiting: { readonly count: number; readonly resolve: () => void } | undefined;
  const run = async (): Promise<void> => {
    while (!isOver) {
      settled.push(await sendOne(destination));
      if (waiting !== undefined && settled.length >= waiting.count) waiting.resolve();
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, run));
  return {
    async end() {
      isOver = true;
      await running;
      return settled;
    },
    reach: (count) =>
      new Promise((resolve) => {
        waiting = { count: settled.length + count, resolve };
      }),
  };
}

/** Nothing lost, nothing doubled: every request succeeded and was served exactly once. */
export function expectServedOnce<Id extends keyof RequestIds>(
  requests: readonly BurstRequest[],
  served: readonly Pick<RequestIds, Id>[],
  id: Id,
): void {
  const resent = requests.filter(({ outcome }) => outcome.resends !== undefined);
  expect(resent).toEqual([]);
  expectServed(requests, served, id);
}

/**
 * Nothing lost, and doubled only where an answer was: every request succeeded, and was served at most
 * once more for each time it says that it was sent again.
 */
export function expectServed<Id extends keyof RequestIds>(
  requests: readonly BurstRequest[],
  served: readonly Pick<RequestIds, Id>[],
  id: Id,
): void {
  const times = new Map<string, number>();
  for (const one of served) times.set(one[id], (times.get(one[id]) ?? 0) + 1);
  const wrong = requests.filter((request) => {
    const count = times.get(request[id]) ?? 0;
    const most = 1 + (request.outcome.resends ?? 0);
    return request.outcome.status !== "success" || count < 1 || count > most;
  });
  expect(wrong).toEqual([]);
}
