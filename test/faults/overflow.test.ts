/** More spans than the buffer holds, and nobody takes them. */
import { describe, expect, test } from "vitest";
import type { FunctionOptions } from "../../src/dev/function-process.ts";
import { FaultFunction, startBare } from "./support/fault-function.ts";
import { crossed, startRow } from "./support/fault-row.ts";

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
const DROPPED_LINE = /^coldspan: (\d+) spans? dropped: buffer full (\{.*\})$/gm;

/** Measured once, for all rows. */
let barePeakBytes: Promise<number> | undefined;

// One after the other: an account of 200,000 spans would hold up the receivers of other rows.
describe("200,000 spans nobody takes", () => {
  test.for(crossed([{}]))("$protocol, $mode", { timeout: 120_000 }, async (of, context) => {
    const row = startRow(context, { ...of, fault: "200,000 spans, collector dead" });
    barePeakBytes ??= measureBarePeak(context);
    const barePeak = await barePeakBytes;
    const traced = await FaultFunction.start(context, row, {
      before: (receiver) => receiver.stop(),
      function: SMALLEST,
    });
    await (await traced.invoke({ spans: SPANS })).settled;
    const { recorded, dropped, buffered } = await traced.stats();
    // With those of init and invocation; the span of the invocation that asks has not ended yet.
    expect(recorded).toBe(SPANS + 2);
    expect(dropped).toEqual({ overflow: recorded - buffered, permanent: 0, tooLarge: 0 });

    await traced.receiver.restart();
    await traced.untilDrained(RECOVERY_MS);
    const account = traced.fill(await traced.stats());
    // After a line about losses the next one waits 30 s, or until the process ends.
    await traced.invoke({ spans: 0, act: "exit" });
    await traced.process.exited;
    const lines = reportedLosses(traced);
    const reported = lines.reduce((sum, spans) => sum + spans, 0);
    row.note = `${reported.toLocaleString("en-US")} reported in ${lines.length} lines, peak bare ${Math.round(barePeak / 2 ** 20)} MiB`;
    expect(account).toMatchObject({ unexpected: [], misplaced: [] });
    expect(row.doubled).toBe(0);
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
