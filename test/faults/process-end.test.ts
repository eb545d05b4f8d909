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
/** Long enough for the event to reach the handler. */
const BEFORE_SIGTERM_MS = 300;
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

      if (isDown) await traced.receiver.stop();
      const plain = await end(row, bare, bare.invoke({ n: 1, spans: 3, act } satisfies FaultEvent));
      const result = await end(row, traced.process, traced.invoke({ act }));
      if (isDown) await traced.receiver.restart();
      await traced.restart();
      await traced.invoke();

      const account = traced.fill(await traced.untilArrived(ARRIVAL_MS));
      expect(account).toMatchObject({ missing: [], unexpected: [], doubled: [], misplaced: [] });
      expect(account.repeated.length).toBeLessThanOrEqual(figures.resent ?? 0);
      expect(outcomeOf(result)).toEqual(asTraced(outcomeOf(plain), row));
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
}

/** Waits until the process is gone, ended by itself or by SIGTERM. */
async function end(
  { act, isSigterm = false }: Ending,
  running: FunctionProcess,
  invoked: Promise<InvocationResult>,
): Promise<Ended> {
  if (isSigterm) {
    if (act === "return") await (await invoked).settled;
    else await sleep(BEFORE_SIGTERM_MS);
    // Lambda asks a process to end only where some extension is registered, be it another one.
    if (running.api.extensions.length > 0) await running.terminate();
    else process.kill(running.pid, "SIGTERM");
  }
  return { answer: await invoked, status: await running.exited };
}

/** What Lambda shows of it; request ids are each invocation's own. */
function outcomeOf({ answer, status }: Ended): object {
  const { outcome, error, requestId } = answer;
  const message = error?.message.replace(requestId, "");
  return { outcome, type: error?.type, message, ...status };
}

/** Without any extension the bare function is killed where the traced one is asked to end. */
function asTraced(outcome: object, { isSigterm, mode }: Ending & Pick<FaultCase, "mode">): unknown {
  const text = JSON.stringify(outcome);
  const isKilled = isSigterm === true && mode === "after-return";
  return JSON.parse(isKilled ? text.replaceAll("SIGKILL", "SIGTERM") : text);
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
