/** More spans than the buffer holds, and nobody takes them. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { FunctionOptions } from "../../src/dev/function-process.ts";
import { FaultFunction, startBare } from "./support/fault-function.ts";
import { MODES, PROTOCOLS, startRow } from "./support/fault-row.ts";

const SPANS = 200_000;
/** The smallest function, with the heap flags that the base image's bootstrap gives it. */
const MEMORY_MB = 128;
const SMALLEST: Partial<FunctionOptions> = {
  memoryMb: MEMORY_MB,
  execArgv: ["--max-semi-space-size=3", `--max-old-space-size=${Math.floor(MEMORY_MB * 0.9)}`],
  api: { timeoutMs: 60_000 },
};
/**
 * Above the bare function's: a quarter of its memory for the spans, and as much three times over for
 * those that V8 has not collected yet and for requests that are being encoded.
 */
const MAX_ADDED_BYTES = MEMORY_MB * 2 ** 20;
const RECOVERY_MS = 30_000;
/** After a line about losses the next one waits 30 s. */
const REPORT_MS = 35_000;
const DROPPED_LINE = /^coldspan: (\d+) spans? dropped: buffer full (\{.*\})$/gm;

describe.each(MODES)("200,000 spans nobody takes, %s", (mode) => {
  test.concurrent.for(PROTOCOLS)("over %s", { timeout: 120_000 }, async (protocol, context) => {
    const row = startRow(context, { fault: "200,000 spans, collector dead", protocol, mode });
    const barePeak = await measureBarePeak(context);
    const traced = await FaultFunction.start(context, row, {
      before: (receiver) => receiver.stop(),
      function: SMALLEST,
    });
    await (await traced.invoke({ spans: SPANS })).settled;
    const { recorded, dropped, buffered } = await traced.stats();
    traced.fill();
    // With those of init and invocation; the span of the invocation that asks has not ended yet.
    expect(recorded).toBe(SPANS + 2);
    expect(dropped).toEqual({ overflow: recorded - buffered, permanent: 0, tooLarge: 0 });

    await traced.receiver.restart();
    await traced.untilDrained(RECOVERY_MS);
    const account = traced.fill(await traced.stats());
    // Lambda announces the end only to who registered, as after-return does; else time brings the rest.
    if (mode === "after-return") await traced.process.terminate();
    else await untilReported(traced, row.dropped ?? 0);
    const lines = reportedLosses(traced);
    const reported = lines.reduce((sum, spans) => sum + spans, 0);
    row.note = `${reported.toLocaleString("en-US")} reported in ${lines.length} lines, peak bare ${Math.round(barePeak / 2 ** 20)} MiB`;
    expect(account).toMatchObject({ unexpected: [], doubled: [], misplaced: [] });
    // A span whose answer was lost may be dropped although it had arrived.
    const arrivedAndDropped = (row.dropped ?? 0) - account.missing.length;
    expect(arrivedAndDropped).toBeGreaterThanOrEqual(0);
    expect(arrivedAndDropped).toBeLessThanOrEqual(row.resent ?? 0);
    expect(reported).toBe(row.dropped);
    expect((row.peakMemoryBytes ?? 0) - barePeak).toBeLessThan(MAX_ADDED_BYTES);
  });
});

async function measureBarePeak(context: Parameters<typeof startBare>[0]): Promise<number> {
  const bare = await startBare(context, { function: SMALLEST });
  await bare.invoke({ n: 0, spans: SPANS, act: "return" });
  const peak = bare.peakMemoryBytes() ?? 0;
  await bare.close();
  return peak;
}

function reportedLosses(traced: FaultFunction): number[] {
  return [...traced.process.stderr.matchAll(DROPPED_LINE)].map(([, spans]) => Number(spans));
}

async function untilReported(traced: FaultFunction, spans: number): Promise<void> {
  const endMs = performance.now() + REPORT_MS;
  const sum = () => reportedLosses(traced).reduce((total, some) => total + some, 0);
  while (sum() < spans && performance.now() < endMs) {
    await sleep(1_000);
    await traced.invoke({ spans: 0 });
  }
}
