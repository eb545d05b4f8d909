/** One cold start under the real runtime client: a new process, its init and its first invocation. */
import { join } from "node:path";
import { type FunctionOptions, startFunction } from "../../src/dev/function-process.ts";
import type { FunctionProcess } from "../../src/dev/running-function.ts";
import type { Collector } from "./collector.ts";
import { emptyTmp, imageVariables } from "./image.ts";
import type { Platform } from "./platforms.ts";
import { readCpuMs, readResidentBytes } from "./process-usage.ts";
import { totalSpans } from "./received.ts";
import type { Setup } from "./setup.ts";
import type { Deployment } from "./workshop.ts";

/** Sampled, so that X-Ray's own libraries record; Lambda sends such a header with active tracing. */
export const TRACE_HEADER =
  "Root=1-69201d00-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1";

export interface ColdRun {
  /** Process start to the runtime's first request for work. */
  readonly initMs: number;
  /** Hand-out of the first event to its answer. */
  readonly firstMs: number;
  /** Hand-out of the first event to the moment Lambda would freeze: what is billed. */
  readonly billedMs: number;
  /** CPU time of all threads; absent where it cannot be read. */
  readonly initCpuMs: number | undefined;
  readonly firstCpuMs: number | undefined;
  /** Resident after the first invocation. */
  readonly residentBytes: number | undefined;
  readonly spans: number;
}

/** Starts a deployed function; the environment names the collector as the setup wants it. */
export function start(
  setup: Setup,
  deployment: Deployment,
  platform: Platform,
  collector: Collector,
  extra: Partial<FunctionOptions> = {},
): Promise<FunctionProcess> {
  const { taskRoot, handler, imageHome } = deployment;
  const env = {
    BENCH_AWS_ENDPOINT: collector.awsUrl,
    ...(imageHome !== undefined && imageVariables(imageHome)),
    ...setup.env?.(collector),
    ...extra.env,
  };
  if (imageHome !== undefined) emptyTmp();
  const execArgv = [...preloadFlags(deployment, platform), ...(extra.execArgv ?? [])];
  return startFunction({ ...platform, taskRoot, handler, ...extra, execArgv, env });
}

/** Runtime client 3 requires CommonJS handlers, 4 imports them: only there is an ESM hook needed. */
function preloadFlags({ taskRoot, preloads }: Deployment, { ric }: Platform): string[] {
  return preloads.flatMap((file) => {
    if (file.endsWith(".cjs")) return ["--require", join(taskRoot, file)];
    return ric.major === 4 ? ["--import", join(taskRoot, file)] : [];
  });
}

/** Throws with the function's output when it does not answer well. */
export async function runCold(
  setup: Setup,
  deployment: Deployment,
  platform: Platform,
  collector: Collector,
  event: unknown,
): Promise<ColdRun> {
  const running = await start(setup, deployment, platform, collector);
  try {
    // Queued before init ends, as Lambda does: it is handed out at the first request for work.
    const invoked = running.invoke(event, { traceId: TRACE_HEADER });
    const init = await running.api.initialized;
    const initCpuMs = readCpuMs(running.pid);
    const result = await invoked;
    const cpuMs = readCpuMs(running.pid);
    if (result.outcome !== "response" || result.handedOutMs === undefined) {
      throw new Error(`${setup.name}: ${result.body}\n${running.stderr}${running.stdout}`);
    }
    const settled = await result.settled;
    return {
      initMs: init.timeMs - running.spawnedMs,
      firstMs: result.postedMs - result.handedOutMs,
      billedMs: settled.timeMs - result.handedOutMs,
      initCpuMs,
      firstCpuMs: cpuMs === undefined || initCpuMs === undefined ? undefined : cpuMs - initCpuMs,
      residentBytes: readResidentBytes(running.pid),
      spans: await countSpans(setup, running, collector),
    };
  } finally {
    await running.close();
  }
}

async function countSpans(
  setup: Setup,
  running: FunctionProcess,
  collector: Collector,
): Promise<number> {
  if (setup.exportsBy === undefined) return 0;
  if (setup.exportsBy === "stdout") return countLoggedSpans(running.stdout);
  return totalSpans(await collector.take(1));
}

/** Datadog's log lines: `{"traces":[[span, …], …]}`. */
function countLoggedSpans(stdout: string): number {
  const lines = stdout.split("\n").filter((line) => line.startsWith('{"traces":'));
  const traces = lines.flatMap((line) => (JSON.parse(line) as { traces: unknown[][] }).traces);
  return traces.flat().length;
}
