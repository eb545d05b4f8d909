/** A collector that accepts and never answers: what a hundred callers wait for it in total. */
import { expect, test } from "vitest";
import type { OtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import {
  expectAnswer,
  FaultFunction,
  FLUSH_TIMEOUT_MS,
  startBare,
} from "./support/fault-function.ts";
import { crossed, startRow } from "./support/fault-row.ts";

const INVOCATIONS = 100;
/** What tracing may add to each invocation that does not wait for the flush. */
const SHARE_MS = 5;
const RECOVERY_MS = 20_000;

interface BlackHole {
  readonly fault: string;
  readonly begin: (receiver: OtlpReceiver) => void;
  readonly end: (receiver: OtlpReceiver) => void;
}

const BLACK_HOLES: readonly BlackHole[] = [
  {
    fault: "black hole, reads nothing",
    begin: (receiver) => {
      receiver.welcome("ignore");
      receiver.silenceConnections();
    },
    end: (receiver) => receiver.welcome("relay"),
  },
  {
    fault: "black hole, reads everything",
    begin: (receiver) => receiver.behave({ kind: "black-hole" }),
    end: (receiver) => receiver.behave(),
  },
];

test.for(crossed(BLACK_HOLES))("$fault: $protocol, $mode", async (blackHole, context) => {
  const row = startRow(context, { ...blackHole, fault: `100 invocations, ${blackHole.fault}` });
  const traced = await FaultFunction.start(context, row);
  const bare = await startBare(context);
  await bare.invoke({ n: 0, spans: 1, act: "return" });
  await (await traced.invoke({ spans: 1 })).settled;
  await traced.whileMissing(FLUSH_TIMEOUT_MS);
  traced.forgetWaits();

  blackHole.begin(traced.receiver);
  let bareMs = 0;
  for (let n = 0; n < INVOCATIONS; n++) {
    const plain = await bare.invoke({ n, spans: 1, act: "return" });
    bareMs += plain.postedMs - (plain.handedOutMs ?? plain.postedMs);
    const result = await traced.invoke({ spans: 1 });
    expectAnswer(result);
    // As Lambda does: the next event is handed out when everybody has asked for it.
    await result.settled;
  }
  const tracedMs = traced.waitsMs.reduce((total, waitMs) => total + waitMs, 0);
  row.note = `waited ${Math.round(tracedMs - bareMs)} ms in total, ${Math.round(bareMs)} ms bare`;
  traced.fill();
  blackHole.end(traced.receiver);
  await traced.untilAllArrived(RECOVERY_MS);

  const account = traced.fill(await traced.stats());
  expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
  expect(row.dropped).toBe(0);
  expect(tracedMs - bareMs).toBeLessThanOrEqual(FLUSH_TIMEOUT_MS + INVOCATIONS * SHARE_MS);
});
