/**
 * Starts a function in its image's own runtime, for no more than the compile cache: the runtime loads
 * the handler's module exactly as it will in Lambda, under the same file names and flags.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { platformEnvironment } from "./platform-environment.ts";
import { type RuntimeApi, startRuntimeApi } from "./runtime-api.ts";

/** Writing the cache of thousands of modules takes less; a process that hangs is ended. */
const WRITE_TIMEOUT_MS = 30_000;
const DEFAULT_MEMORY_MB = 1769;
/** Of the output of a function that could not be loaded. */
const SHOWN_CHARACTERS = 2_000;

export interface WarmUpOptions {
  /** What the image starts: its entrypoint and command. */
  readonly command: readonly string[];
  readonly handler: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cacheDirectory: string;
  /** Ms that the handler's module may take to load, and the events to be answered. */
  readonly timeoutMs: number;
  /**
   * Handed to the handler before the cache is written, as the build of the image does with a stand-in.
   * Default: the handler is not called.
   */
  readonly events?: readonly unknown[];
}

export interface WarmUpReport {
  readonly fileCount: number;
  readonly bytes: number;
  /** Why the handler's module could not be loaded to its end; what was loaded is cached all the same. */
  readonly problem: string | undefined;
}

/** Runs the function's init and writes what V8 compiled. Never rejects for the function's own failures. */
export async function warmUp(options: WarmUpOptions): Promise<WarmUpReport> {
  const api = await startRuntimeApi({ functionName: "warm-up", handler: options.handler });
  const [program = "", ...parameters] = options.command;
  // A group of its own: between this and Node there may be npx and shells.
  const child = spawn(program, parameters, {
    env: environment(options, api.address),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const output = readOutput(child);
  const closed = once(child, "close").catch((error: unknown) => [String(error)]);
  const stop = new AbortController();
  try {
    const problem = await Promise.race([
      runOnce(api, options.events ?? []),
      closed.then(
        ([reason]) => `the runtime ended (${reason})\n${output().slice(-SHOWN_CHARACTERS)}`,
      ),
      after(options.timeoutMs, stop.signal).then(() => `not loaded within ${options.timeoutMs} ms`),
    ]);
    await writeCache(child, closed, stop.signal);
    return { ...openToEverybody(options.cacheDirectory), problem };
  } finally {
    stop.abort();
    await api.close();
  }
}

/** What kept the function's module from being loaded; `undefined` once each event was answered. */
async function runOnce(api: RuntimeApi, events: readonly unknown[]): Promise<string | undefined> {
  const outcome = await api.initialized;
  if (outcome.kind === "error") return `${outcome.error.type}: ${outcome.error.message}`;
  for (const event of events) await (await api.invoke(event)).settled;
  return undefined;
}

/** Lambda's variables, and the image's over them. */
function environment(options: WarmUpOptions, runtimeApi: string): NodeJS.ProcessEnv {
  const { handler, env } = options;
  const platform = platformEnvironment({
    functionName: "warm-up",
    functionVersion: "$LATEST",
    handler,
    taskRoot: env.LAMBDA_TASK_ROOT ?? process.cwd(),
    memoryMb: DEFAULT_MEMORY_MB,
    region: "us-east-1",
    runtimeApi,
    executionEnvironment: "AWS_Lambda_Image",
    maxConcurrency: undefined,
  });
  return {
    ...platform,
    ...env,
    OTEL_SDK_DISABLED: "false",
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    COLDSPAN_WARM_UP: options.events === undefined ? "load" : "prime",
  };
}

async function writeCache(
  child: ChildProcess,
  closed: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, "SIGUSR2");
  const tooLong = after(WRITE_TIMEOUT_MS, signal).then(() => {
    if (child.exitCode === null && child.signalCode === null)
      process.kill(-(child.pid ?? 0), "SIGKILL");
  });
  await Promise.race([closed, tooLong]);
}

/** Node writes for its own user only; Lambda runs the function as another. */
function openToEverybody(directory: string): { fileCount: number; bytes: number } {
  let fileCount = 0;
  let bytes = 0;
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const path = join(directory, name);
    const stats = statSync(path);
    const mode = stats.isDirectory() ? 0o755 : 0o644;
    // A file that is as it shall be stays in the layer below.
    if ((stats.mode & 0o777) !== mode) chmodSync(path, mode);
    if (stats.isDirectory()) continue;
    fileCount += 1;
    bytes += stats.size;
  }
  return { fileCount, bytes };
}

function readOutput(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}

function after(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener("abort", () => clearTimeout(timer));
  });
}
