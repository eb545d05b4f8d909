/** More spans than the buffer holds, and nobody takes them. */
import { expect, test } from "vitest";
import type { FunctionOptions } from "../../src/dev/function-process.ts";
import { FaultFunction, startBare } from "./support/fault-function.ts";
import { crossed, startRow } from "./support/fault-row.ts";

const SPANS = 200_000;
/** The smallest function, with the heap flags that the base image's bootstrap gives it. */
const MEMORY_MB = 128;
const SMALLEST: Partial<FunctionOptions> = {
  memoryMb: MEMORY_MB,
  execArgv: ["--max-semi-space-size=3", `--max-old-space-size=${Math.floor(MEMORY_MB * 0.9)}`],
};
const RECOVERY_MS = 30_000;
const DROPPED_LINE = /^coldspan: (\d+) spans? dropped: buffer full (\{.*\})$/gm;

test.for(crossed([{}]))("200,000 spans: $protocol, $mode", async (of, context) => {
  const row = startRow(context, { ...of, fault: "200,000 spans, collector dead" });
  const bare = await startBare(context, { function: SMALLEST });
  await bare.invoke({ n: 0, spans: SPANS, act: "return" });
  const barePeak = bare.peakMemoryBytes() ?? 0;
  await bare.close();

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
  const last = await traced.stats();
  const account = traced.fill(last);
  await traced.process.terminate();
  const lines = [...traced.process.stderr.matchAll(DROPPED_LINE)];
  const reported = lines.reduce((sum, [, spans]) => sum + Number(spans), 0);
  row.note = `${reported.toLocaleString("en-US")} reported in ${lines.length} lines, peak bare ${Math.round(barePeak / 2 ** 20)} MiB`;
  expect(account).toMatchObject({ unexpected: [], doubled: [], misplaced: [] });
  expect(account.missing).toHaveLength(row.dropped ?? 0);
  expect(reported).toBe(row.dropped);
  expect(row.peakMemoryBytes).toBeLessThan(MEMORY_MB * 2 ** 20);
});
