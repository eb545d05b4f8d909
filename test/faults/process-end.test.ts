/** The process ends under an invocation or after it: by itself, by a crash, or because Lambda says so. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { InvocationResult } from "../../src/dev/invocation.ts";
import type { ExitStatus, FunctionProcess } from "../../src/dev/running-function.ts";
import type { Act, FaultEvent } from "../fixtures/functions/faults.ts";
import { RUNTIMES } from "../support/deployed.ts";
import { FaultFunction, NEWEST, startBare } from "./support/fault-function.ts";
import { crossed, type FaultCase, startRow } from "./support/fault-row.ts";

const ARRIVAL_MS = 5_000;
/** Between two looks at what the function has printed. */
const STEP_MS = 10;
const OTHER_EXTENSION = new URL("support/other-extension.mjs", import.meta.url).href;

interface Ending {
  readonly ending: string;
  readonly act: Act;
  /** `error.type` of the invocation's span; none when the invocation had ended before. */
  readonly errorType?: string;
  readonly isSigterm?: boolean;
}

const CRASHES: readonly Ending[] = [
  { ending: "process.exit()", act: "exit", errorType: "process.exit" },
  { ending: "uncaught exception", act: "throw-uncaught", errorType: "RangeError" },
  { ending: "unhandled rejection", act: "reject-unhandled", errorType: "RangeError" },
];
const SIGTERMS: readonly Ending[] = [
  { ending: "SIGTERM after an invocation", act: "return", isSigterm: true },
  { ending: "SIGTERM in one", act: "never-return", errorType: "SIGTERM", isSigterm: true },
];
const ROWS = [
  ...crossed(CRASHES).map((row) => ({ ...row, runtime: NEWEST })),
  ...RUNTIMES.filter(({ node }) => node === 22).flatMap((runtime) =>
    crossed(CRASHES, ["grpc"], ["before-return"]).map((row) => ({ ...row, runtime })),
  ),
  ...crossed(SIGTERMS).map((row) => ({ ...row, runtime: NEWEST })),
].flatMap((row) => [
  { ...row, isDown: false },
  { ...row, isDown: true },
]);

describe.concurrent("the process ends", () => {
  test.for(ROWS)(
    "$ending: $protocol, $mode, down: $isDown, Node $runtime.node, client $runtime.ric",
    async (row, context) => {
      const { act, errorType, isDown, runtime } = row;
      const figures = startRow(context, { ...row, fault: describeFault(row) });
      const preloads = needsExtension(row) ? ["--import", OTHER_EXTENSION] : [];
      const options = { runtime, function: { execArgv: preloads } };
      const traced = await FaultFunction.start(context, figures, options);
      const bare = await startBare(context, options);
      await bare.invoke({ n: 0, spans: 3, act: "return" } satisfies FaultEvent);
      await (await traced.invoke()).settled;
      await traced.whileMissing(ARRIVAL_MS);
      traced.forgetWaits();
      // Lambda asks a process to end only where some extension is registered, be it another one.
      if (row.isSigterm) expect(traced.process.api.extensions).not.toEqual([]);

      if (isDown) await traced.receiver.stop();
      const plain = await end(row, bare, bare.invoke({ n: 1, spans: 3, act } satisfies FaultEvent));
      const result = await end(row, traced.process, traced.invoke({ act }));
      if (row.isSigterm) figures.note = `gone ${Math.round(result.endedInMs)} ms after SIGTERM`;
      if (isDown) await traced.receiver.restart();
      await traced.restart();
      await traced.invoke();

      const account = traced.fill(await traced.untilArrived(ARRIVAL_MS));
      expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
      expect(account.repeated.length).toBeLessThanOrEqual(figures.resent ?? 0);
      expect(outcomeOf(result)).toEqual(outcomeOf(plain));
      const ended = traced.receiver
        .spans()
        .find(({ attributes }) => attributes["faas.invocation_id"] === result.answer.requestId);
      expect(ended?.attributes["error.type"]).toBe(errorType);
      expect(ended?.status.code).toBe(errorType === undefined ? "UNSET" : "ERROR");
    },
  );
});

interface Ended {
  readonly answer: InvocationResult;
  readonly status: ExitStatus;
  /** From SIGTERM, or from the answer. */
  readonly endedInMs: number;
}

/**
 * Waits until the process is gone, ended by itself or by SIGTERM. Lambda would kill it 500 ms after that;
 * functions side by side on two cores have more time, and the table shows what they took.
 */
async function end(
  { act, isSigterm = false }: Ending,
  running: FunctionProcess,
  invoked: Promise<InvocationResult>,
): Promise<Ended> {
  if (isSigterm) {
    if (act === "return") await (await invoked).settled;
    else while (!running.stdout.includes(act)) await sleep(STEP_MS);
    process.kill(running.pid, "SIGTERM");
  } else {
    await invoked;
  }
  const startMs = performance.now();
  const status = await running.exited;
  return { answer: await invoked, status, endedInMs: performance.now() - startMs };
}

/** What Lambda shows of it; request ids are each invocation's own. */
function outcomeOf({ answer, status }: Ended): object {
  const { outcome, error, requestId } = answer;
  const message = error?.message.replace(requestId, "");
  return { outcome, type: error?.type, message, ...status };
}

/** Lambda sends SIGTERM where an extension has registered, as after-return does. */
function needsExtension({ isSigterm, mode }: Ending & Pick<FaultCase, "mode">): boolean {
  return isSigterm === true && mode === "before-return";
}

function describeFault(row: (typeof ROWS)[number]): string {
  const { node, ric } = row.runtime;
  const runtime = row.runtime === NEWEST ? "" : `, Node ${node}, client ${ric}`;
  const extension = needsExtension(row) ? ", another extension" : "";
  return `${row.ending}${extension}${runtime}${row.isDown ? ", collector down" : ""}`;
}
