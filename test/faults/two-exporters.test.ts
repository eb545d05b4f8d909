/** Two exporters, one of them dead: the other one's spans neither wait nor get lost. */
import { describe, expect, test } from "vitest";
import type { ReceiverQuestions } from "../../src/dev/receiver-questions.ts";
import { startXrayReceiver } from "../../src/dev/xray-receiver.ts";
import {
  expectAnswer,
  FaultFunction,
  FLUSH_TIMEOUT_MS,
  SLACK_MS,
} from "./support/fault-function.ts";
import { crossed, type FaultRow, startRow } from "./support/fault-row.ts";

/** Fewer than make after-return put flushes off, as it does in a busy environment. */
const INVOCATIONS = 8;
const SPANS = 5;
/** Nobody listens there: datagrams come back as ICMP errors, at best. */
const DEAD_DAEMON = "127.0.0.1:1";

const DEAD_SECOND = [
  {
    fault: "OTLP beside an exporter that never calls back",
    env: { SECOND_EXPORTER: "never-calls-back" },
    destination: "Object",
  },
  {
    fault: "OTLP beside an X-Ray daemon that is not there",
    env: { OTEL_TRACES_EXPORTER: "otlp,xray", AWS_XRAY_DAEMON_ADDRESS: DEAD_DAEMON },
    destination: "xray",
  },
] as const;

describe.concurrent("two exporters, one dead", () => {
  test.for(crossed(DEAD_SECOND))("$fault: $protocol, $mode", async ({ env, ...of }, context) => {
    const row = startRow(context, of);
    const traced = await FaultFunction.start(context, row, { env: () => env });
    const handedOut = await invokeAll(traced);
    await traced.whileMissing(SLACK_MS);

    const account = traced.fill();
    expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
    expectNoDelay(row, traced.receiver, handedOut);
    const [alive, dead] = await traced.allStats();
    expect(alive).toMatchObject({ sent: account.expected, breaker: "closed" });
    if (of.destination === "Object") {
      expect(dead).toMatchObject({ destination: "Object", sent: 0, buffered: account.expected });
    }
  });

  test.for(crossed([{}]))("X-Ray beside dead OTLP: $protocol, $mode", async (of, context) => {
    const row = startRow(context, { ...of, fault: "X-Ray daemon beside a black hole of OTLP" });
    const daemon = await startXrayReceiver();
    context.onTestFinished(() => daemon.close());
    const traced = await FaultFunction.start(context, row, {
      before: (receiver) => receiver.behave({ kind: "black-hole" }),
      env: () => ({
        OTEL_TRACES_EXPORTER: "otlp,xray",
        AWS_XRAY_DAEMON_ADDRESS: daemon.address,
      }),
    });
    const handedOut = await invokeAll(traced);
    await traced.whileMissing(SLACK_MS, { receiver: daemon });

    const account = traced.fill(undefined, daemon);
    expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
    expectNoDelay(row, daemon, handedOut);
    const [dead, alive] = await traced.allStats();
    expect(dead).toMatchObject({ sent: 0, buffered: account.expected });
    expect(alive).toMatchObject({ sent: account.expected, buffered: 0 });
  });
});

/** When each invocation was handed out, Unix ms, by its request id. */
async function invokeAll(traced: FaultFunction): Promise<ReadonlyMap<string, number>> {
  const handedOut = new Map<string, number>();
  for (let i = 0; i < INVOCATIONS; i++) {
    const result = await traced.invoke({ spans: SPANS });
    expectAnswer(result);
    await result.settled;
    handedOut.set(result.requestId, result.handedOutMs ?? 0);
  }
  return handedOut;
}

/** Each invocation's span was there long before the dead exporter's flush was given up, at 4 s. */
function expectNoDelay(
  row: FaultRow,
  receiver: Pick<ReceiverQuestions, "spans" | "requests">,
  handedOut: ReadonlyMap<string, number>,
): void {
  const requests = receiver.requests();
  const delaysMs = receiver.spans().flatMap(({ attributes, requestIndex }) => {
    const startMs = handedOut.get(String(attributes["faas.invocation_id"]));
    return startMs === undefined ? [] : [(requests[requestIndex]?.arrivedAtMs ?? 0) - startMs];
  });
  const longestMs = Math.max(...delaysMs);
  row.note = `the other's spans arrived within ${Math.round(longestMs)} ms`;
  expect(delaysMs).toHaveLength(handedOut.size);
  expect(longestMs).toBeLessThan(FLUSH_TIMEOUT_MS / 2);
}
