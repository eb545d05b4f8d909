/**
 * SIGTERM on Managed Instances: handlers run in worker threads, signals reach the main thread only,
 * where nothing but the runtime client's own manager runs.
 */
import { finishSpans, type ProcessEnd } from "./process-end.ts";

const CHANNEL = "coldspan.sigterm.v1";

/** Lambda grants the runtime 600 ms there; the workers flush for 300 of them. */
const WORKERS_MS = 500;

/** What a shell shows for a process that SIGTERM ended. */
const SIGTERM_EXIT_CODE = 143;

/** In the main thread: tells the workers, waits for them, and ends the process as Node would. */
export function relaySigterm(waitMs: number = WORKERS_MS): void {
  process.once("SIGTERM", () => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage("SIGTERM");
    setTimeout(() => {
      channel.close();
      // Whoever else listens decides when the process ends.
      if (process.listenerCount("SIGTERM") > 0) return;
      process.kill(process.pid, "SIGTERM");
      process.exit(SIGTERM_EXIT_CODE);
    }, waitMs);
  });
}

/** In a worker thread: sends what is buffered when the main thread says so, and spools the rest. */
export function followSigterm(end: ProcessEnd): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = () => void finishSpans(end);
  // Setting the listener holds the thread's event loop.
  channel.unref();
}
