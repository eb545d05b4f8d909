/** The collector is restarted again and again while the function is invoked without a pause. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { OtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { expectAnswer, FaultFunction, SHORT_FLUSH_MS, SLACK_MS } from "./support/fault-function.ts";
import { crossed, startRow } from "./support/fault-row.ts";

const INVOCATIONS = 1_000;
/** A restart begins with each of these invocations. */
const RESTARTS_AT: readonly number[] = [150, 450, 700];
const DOWN_MS = 700;
const RECOVERY_MS = 20_000;

test.for(crossed([{}]))("1,000 invocations: $protocol, $mode", async (of, context) => {
  const row = startRow(context, { ...of, fault: "1,000 invocations, collector restarts 3 times" });
  const traced = await FaultFunction.start(context, row, { flushTimeoutMs: SHORT_FLUSH_MS });
  await (await traced.invoke()).settled;
  traced.forgetWaits();

  let restarts = Promise.resolve();
  for (let i = 0; i < INVOCATIONS; i++) {
    if (RESTARTS_AT.includes(i)) restarts = restarts.then(() => restart(traced.receiver));
    expectAnswer(await traced.invoke({ spans: 1 }));
  }
  await restarts;

  const account = traced.fill(await traced.untilArrived(RECOVERY_MS));
  expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
  expect(row.dropped).toBe(0);
  expect(account.repeated.length).toBeLessThanOrEqual(row.resent ?? 0);
  expect(row.longestWaitMs).toBeLessThan(SHORT_FLUSH_MS + SLACK_MS);
});

async function restart(receiver: OtlpReceiver): Promise<void> {
  await receiver.stop();
  await sleep(DOWN_MS);
  await receiver.restart();
}
