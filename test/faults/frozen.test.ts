/** The environment is frozen between two invocations, and its connection may not outlive it. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { OtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import {
  expectAnswer,
  FaultFunction,
  FLUSH_TIMEOUT_MS,
  SLACK_MS,
} from "./support/fault-function.ts";
import { crossed, startRow } from "./support/fault-row.ts";

const FREEZE_MS = 5_000;

interface Loss {
  readonly fault: string;
  readonly cut: (receiver: OtlpReceiver) => void;
}

const LOSSES: readonly Loss[] = [
  { fault: "frozen 5 s", cut: () => undefined },
  {
    fault: "frozen 5 s, server closes meanwhile",
    cut: (receiver) => receiver.drainConnections(),
  },
  { fault: "frozen 5 s, FIN meanwhile", cut: (receiver) => receiver.endConnections() },
  { fault: "frozen 5 s, RST meanwhile", cut: (receiver) => receiver.resetConnections() },
  {
    fault: "frozen 5 s, connection silently lost",
    cut: (receiver) => receiver.silenceConnections(),
  },
];

describe.concurrent("a freeze between two invocations loses no span", () => {
  test.for(crossed(LOSSES))("$fault: $protocol, $mode", async ({ cut, ...of }, context) => {
    const row = startRow(context, of);
    const traced = await FaultFunction.start(context, row, {
      function: { freezeWhenIdle: true },
    });
    const first = await traced.invoke();
    expectAnswer(first);
    await first.settled;
    await traced.whileMissing(SLACK_MS);
    traced.forgetWaits();
    await sleep(FREEZE_MS / 2);
    cut(traced.receiver);
    await sleep(FREEZE_MS / 2);

    const thawed = await traced.invoke();
    expectAnswer(thawed);
    await Promise.race([thawed.settled, sleep(FLUSH_TIMEOUT_MS + SLACK_MS)]);

    const account = traced.fill();
    expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
    expect(row.longestWaitMs).toBeLessThan(FLUSH_TIMEOUT_MS + SLACK_MS);
    expect(await traced.stats()).toMatchObject({ resentAfterLostAnswer: row.resent });
  });
});
