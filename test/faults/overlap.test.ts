/** Spans end while a flush is under way, and invocations run side by side. */
import { describe, expect, test } from "vitest";
import type { OtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { expectAnswer, FaultFunction } from "./support/fault-function.ts";
import { crossed, PROTOCOLS, startRow } from "./support/fault-row.ts";

const SLOW_MS = 100;
const SPANS = 200;
const ARRIVAL_MS = 20_000;

const ENDINGS = [
  { fault: "spans end during and after the flush", act: "leave-spans-behind" },
  { fault: "flush() called as each span ends", act: "flush-meanwhile" },
] as const;

describe.concurrent("a flush while spans are still being ended", () => {
  test.for(crossed(ENDINGS))("$fault: $protocol, $mode", async ({ act, ...of }, context) => {
    const row = startRow(context, of);
    const traced = await FaultFunction.start(context, row);
    traced.receiver.behave({ kind: "accept", delayMs: SLOW_MS });
    for (let i = 0; i < 3; i++) expectAnswer(await traced.invoke({ act, spans: SPANS }));

    const account = traced.fill(await traced.untilArrived(ARRIVAL_MS));
    expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
    expect(row).toMatchObject({ resent: 0, dropped: 0 });
  });
});

const CONCURRENCY = 64;
const INVOCATIONS = 5 * CONCURRENCY;
/** `OTEL_BSP_SCHEDULE_DELAY`. */
const INTERVAL_MS = 200;

const MANAGED = [1, 2].flatMap((threads) =>
  PROTOCOLS.flatMap((protocol) =>
    (["healthy", "restarting"] as const).map((collector) => ({ threads, protocol, collector })),
  ),
);

describe.concurrent("Managed Instances, 64 invocations at once", () => {
  test.for(MANAGED)("$threads threads, $collector collector: $protocol", async (of, context) => {
    const { threads, protocol, collector } = of;
    const fault = `64 at once, ${threads} thread${threads === 1 ? "" : "s"}, ${collector} collector`;
    const row = startRow(context, { fault, protocol, mode: "periodic" });
    const traced = await FaultFunction.start(context, row, {
      function: { maxConcurrency: CONCURRENCY },
      env: () => ({
        AWS_LAMBDA_NODEJS_WORKER_COUNT: String(threads),
        OTEL_BSP_SCHEDULE_DELAY: String(INTERVAL_MS),
      }),
    });
    let left = INVOCATIONS;
    const caller = async (): Promise<void> => {
      while (left-- > 0) expectAnswer(await traced.invoke({ act: "flush-meanwhile", spans: 5 }));
    };
    const restarted = collector === "restarting" ? restartAmidst(traced.receiver) : undefined;
    await Promise.all([restarted, ...Array.from({ length: CONCURRENCY }, caller)]);
    await traced.whileMissing(ARRIVAL_MS);

    // Each thread counts for itself: two of them cannot be asked by one invocation.
    const stats = threads === 1 ? await traced.stats() : undefined;
    await traced.whileMissing(ARRIVAL_MS);
    const account = traced.fill(stats);
    expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
  });
});

async function restartAmidst(receiver: OtlpReceiver): Promise<void> {
  await receiver.waitForRequests(3, ARRIVAL_MS);
  await receiver.stop();
  await receiver.restart();
}
