/** The handler never returns, and Lambda ends the function at its deadline. */
import { describe, expect, test } from "vitest";
import type { ReceivedSpan } from "../../src/dev/received-span.ts";
import { RUNTIMES, type Runtime } from "../support/deployed.ts";
import { FaultFunction, NEWEST } from "./support/fault-function.ts";
import { crossed, startRow } from "./support/fault-row.ts";

const TIMEOUT_MS = 2_000;

const ROWS = [
  ...crossed([{ runtime: NEWEST }]),
  ...crossed(
    RUNTIMES.filter(({ node }) => node === 22).map((runtime) => ({ runtime })),
    ["grpc"],
  ),
];

function nameOf({ node, ric }: Runtime): string {
  return `Node ${node}, client ${ric}`;
}

describe.concurrent("a handler that never returns", () => {
  test.for(ROWS)("$runtime: $protocol, $mode", async ({ runtime, ...of }, context) => {
    const fault = `handler never returns, ${nameOf(runtime)}`;
    const row = startRow(context, { ...of, fault });
    const traced = await FaultFunction.start(context, row, { runtime });
    await (await traced.invoke()).settled;
    const result = await traced.invoke({ act: "never-return", timeoutMs: TIMEOUT_MS });
    await result.settled;

    const deadlineMs = (result.handedOutMs ?? 0) + TIMEOUT_MS;
    const account = traced.fill();
    const request = traced.receiver.requests().at(-1);
    row.note = `${Math.round(deadlineMs - (request?.arrivedAtMs ?? 0))} ms before the deadline`;
    expect(result.outcome).toBe("timeout");
    expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
    expect(request?.arrivedAtMs).toBeLessThan(deadlineMs);
    expect(invocationSpan(traced.receiver.spans(), result.requestId)).toMatchObject({
      status: { code: "ERROR" },
      attributes: { "error.type": "timeout" },
    });
  });
});

function invocationSpan(
  spans: readonly ReceivedSpan[],
  requestId: string,
): ReceivedSpan | undefined {
  return spans.find(({ attributes }) => attributes["faas.invocation_id"] === requestId);
}
