/** A collector that accepts and never answers: what a hundred callers wait for it in total. */
import { describe, expect, type TestContext, test } from "vitest";
import type { OtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import type { FunctionProcess } from "../../src/dev/running-function.ts";
import {
  expectAnswer,
  FaultFunction,
  FLUSH_TIMEOUT_MS,
  startBare,
} from "./support/fault-function.ts";
import { crossed, type FaultCase, startRow } from "./support/fault-row.ts";

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

// Two at once: more of them on two cores would add to each other's waits.
describe.each(BLACK_HOLES)(
  "a hundred callers in a row wait for one flush at most, $fault",
  (of) => {
    test.concurrent.for(crossed([of], undefined, ["before-return"]))("$protocol, $mode", run);
  },
);

// Nobody waits, so rows side by side cost each other nothing that counts.
describe.concurrent("a hundred callers in a row wait for none", () => {
  test.for(crossed(BLACK_HOLES, undefined, ["after-return"]))("$fault: $protocol, $mode", run);
});

async function run(blackHole: BlackHole & FaultCase, context: TestContext): Promise<void> {
  const row = startRow(context, { ...blackHole, fault: `100 invocations, ${blackHole.fault}` });
  const traced = await FaultFunction.start(context, row);
  const bare = await startBare(context);
  await bare.invoke({ n: 0, spans: 1, act: "return" });
  await (await traced.invoke({ spans: 1 })).settled;
  await traced.whileMissing(FLUSH_TIMEOUT_MS);
  traced.forgetWaits();

  blackHole.begin(traced.receiver);
  const bareMs = await invokeAlternately(traced, bare);
  const tracedMs = traced.waitsMs.reduce((total, waitMs) => total + waitMs, 0);
  row.note = `waited ${Math.round(tracedMs - bareMs)} ms in total, ${Math.round(bareMs)} ms bare`;
  blackHole.end(traced.receiver);

  const account = traced.fill(await traced.untilArrived(RECOVERY_MS));
  expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
  expect(row.dropped).toBe(0);
  expect(tracedMs - bareMs).toBeLessThanOrEqual(FLUSH_TIMEOUT_MS + INVOCATIONS * SHARE_MS);
}

/** Invokes both functions in turn, so that a busy machine slows both; the bare one's waits in total, ms. */
async function invokeAlternately(traced: FaultFunction, bare: FunctionProcess): Promise<number> {
  let bareMs = 0;
  for (let n = 0; n < INVOCATIONS; n++) {
    const plain = await bare.invoke({ n, spans: 1, act: "return" });
    bareMs += plain.postedMs - (plain.handedOutMs ?? plain.postedMs);
    const result = await traced.invoke({ spans: 1 });
    expectAnswer(result);
    // As Lambda does: the next event is handed out when everybody has asked for it.
    await result.settled;
  }
  return bareMs;
}
