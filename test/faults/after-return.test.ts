/** The response goes out first: a slow collector is nobody's wait but Lambda's. */
import { expect, test } from "vitest";
import { expectAnswer, FaultFunction, SLACK_MS, startBare } from "./support/fault-function.ts";
import { crossed, PROTOCOLS, startRow } from "./support/fault-row.ts";

const INVOCATIONS = 10;
/** How long the collector takes to answer: what a caller would wait before the return. */
const SLOW_MS = 300;

test.for(crossed([{}], PROTOCOLS))("a slow collector: $protocol, $mode", async (of, context) => {
  const row = startRow(context, { ...of, fault: `collector takes ${SLOW_MS} ms to answer` });
  const traced = await FaultFunction.start(context, row, { function: { freezeWhenIdle: true } });
  const bare = await startBare(context, { function: { freezeWhenIdle: true } });
  await (await bare.invoke({ n: 0, spans: 3, act: "return" })).settled;
  await (await traced.invoke()).settled;
  traced.forgetWaits();

  traced.receiver.behave({ kind: "accept", delayMs: SLOW_MS });
  const bareWaitsMs: number[] = [];
  const heldMs: number[] = [];
  for (let n = 0; n < INVOCATIONS; n++) {
    const plain = await bare.invoke({ n, spans: 3, act: "return" });
    bareWaitsMs.push(plain.postedMs - (plain.handedOutMs ?? 0));
    await plain.settled;
    const result = await traced.invoke();
    expectAnswer(result);
    heldMs.push((await result.settled).timeMs - result.postedMs);
  }
  await traced.whileMissing(SLACK_MS);

  const account = traced.fill();
  const addedMs = median(traced.waitsMs) - median(bareWaitsMs);
  row.note = `caller waits ${addedMs.toFixed(2)} ms more than bare, environment held ${median(heldMs).toFixed(0)} ms`;
  expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
  if (of.mode === "after-return") {
    expect(row.longestWaitMs).toBeLessThan(SLOW_MS);
    expect(Math.min(...heldMs)).toBeGreaterThanOrEqual(SLOW_MS);
  } else {
    expect(Math.min(...traced.waitsMs)).toBeGreaterThanOrEqual(SLOW_MS);
  }
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
