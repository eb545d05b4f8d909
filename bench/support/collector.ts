/** The collector's process, as the benchmarks use it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Addresses, Received, Take } from "./received.ts";

const MODULE = fileURLToPath(new URL("collector-process.ts", import.meta.url));
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
  const child = fork(MODULE, { stdio: "inherit" });
  const addresses = await reply<Addresses>(child);
  return {
    ...addresses,
    take(spans, timeoutMs = DEFAULT_WAIT_MS) {
      child.send({ spans, timeoutMs } satisfies Take);
      return reply<Received>(child);
    },
    async close() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

/** The child's next message; rejects when it ends instead. */
async function reply<T>(child: ChildProcess): Promise<T> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const [message] = (await Promise.race([
      once(child, "message", { signal }),
      once(child, "exit", { signal }).then(([code]) => {
        throw new Error(`the collector's process ended with code ${code}`);
      }),
    ])) as [T];
    return message;
  } finally {
    settled.abort();
  }
}
