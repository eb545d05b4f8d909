/** What a function may ask of its telemetry. */
import type { TelemetryStats } from "./sdk/telemetry-stats.ts";
import { useLifecycle } from "./seam.ts";

const NOTHING: TelemetryStats = { destinations: [] };

/**
 * Sends what is buffered now, rather than when the invocation ends.
 *
 * Resolves when everything is answered, or after `timeoutMs` (default `COLDSPAN_FLUSH_TIMEOUT_MS`,
 * 4000), or shortly before the function's deadline. Never rejects: what could not be sent stays
 * buffered. Does nothing when tracing is disabled.
 *
 * @example
 * ```ts
 * import { flush } from "coldspan";
 *
 * await flush(1_000);
 * ```
 */
export function flush(timeoutMs?: number): Promise<void> {
  return useLifecycle()?.flush(timeoutMs) ?? Promise.resolve();
}

/**
 * Counts, per exporter, what became of the spans of this process: sent, waiting, dropped and why.
 *
 * @example
 * ```ts
 * import { telemetryStats } from "coldspan";
 *
 * for (const { destination, sent, buffered } of telemetryStats().destinations) {
 *   console.log(`${destination}: ${sent} sent, ${buffered} waiting`);
 * }
 * ```
 */
export function telemetryStats(): TelemetryStats {
  return useLifecycle()?.stats() ?? NOTHING;
}
