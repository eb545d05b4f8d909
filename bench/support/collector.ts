/** The collector's process, as the benchmarks use it. */
import { ask, disconnect, forkModule, nextMessage } from "./child-process.ts";
import type { Addresses, Received, Take } from "./received.ts";

const DEFAULT_WAIT_MS = 2_000;

export interface Collector extends Addresses {
  /**
   * What has arrived since the last call: at once when it is `spans` or more, else after
   * `timeoutMs` (default 2,000). One call at a time.
   */
  take(spans: number, timeoutMs?: number): Promise<Received>;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const child = forkModule("collector-process.ts");
  const addresses = await nextMessage<Addresses>(child);
  return {
    ...addresses,
    take: (spans, timeoutMs = DEFAULT_WAIT_MS) => ask(child, { spans, timeoutMs } satisfies Take),
    close: () => disconnect(child),
  };
}
