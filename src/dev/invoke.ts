/** Invokes a function once: in the runtime client that is here, under a Lambda and a collector of our own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InvocationResult } from "./invocation.ts";
import { nowMs } from "./json-http.ts";
import { type OtlpReceiver, startOtlpReceiver } from "./otlp-receiver.ts";
import { platformEnvironment } from "./platform-environment.ts";
import type { ReceivedSpan } from "./received-span.ts";
import { RunningFunction } from "./running-function.ts";
import { startRuntimeApi } from "./runtime-api.ts";

/** Where the function would send, and which traces: here all of them, to this process. */
const SENDING = /^OTEL_(?:EXPORTER_OTLP|TRACES)_/;
/** Lambda's role and place; here the user's own AWS configuration says both, or nothing does. */
const ROLE_AND_PLACE =
  /^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|(?:DEFAULT_)?REGION)$/;
/** A synchronous handler answers before its spans have arrived. */
const ARRIVAL_TIMEOUT_MS = 2_000;
const DEFAULT_MEMORY_MB = 1769;
const DEFAULT_FUNCTION_NAME = "my-function";
const STDERR = 2;

type Variables = Readonly<Record<string, string | undefined>>;

export interface InvokeOnceOptions {
  /** What starts the runtime, the handler included. */
  readonly command: readonly string[];
  readonly handler: string;
  readonly taskRoot: string;
  /** JSON; default `{}`. */
  readonly event?: Uint8Array | undefined;
  /** The function's variables, over those that Lambda sets. */
  readonly env: Variables;
  /** Ms that the invocation may take. */
  readonly timeoutMs: number;
}

export interface InvokeOnceReport {
  readonly result: InvocationResult;
  /** What the function sent, its own spans and coldspan's. */
  readonly spans: readonly ReceivedSpan[];
}

/**
 * Starts the function, invokes it, and ends it. What it prints goes to standard error.
 * Rejects only when the command cannot be started: the function's own failures are in the report.
 */
export async function invokeOnce(options: InvokeOnceOptions): Promise<InvokeOnceReport> {
  const receiver = await startOtlpReceiver();
  // Unsent spans of one environment are not for another.
  const spoolDirectory = mkdtempSync(join(tmpdir(), "coldspan-invoke-"));
  try {
    return await run(options, receiver, spoolDirectory);
  } finally {
    rmSync(spoolDirectory, { recursive: true, force: true });
    await receiver.close();
  }
}

async function run(
  options: InvokeOnceOptions,
  receiver: OtlpReceiver,
  spoolDirectory: string,
): Promise<InvokeOnceReport> {
  const running = await startRuntime(options, {
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_TRACES_SAMPLER: "always_on",
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
    COLDSPAN_GRPC_CLIENT: "lean",
    COLDSPAN_SPOOL_DIRECTORY: spoolDirectory,
  });
  try {
    const result = await running.invoke(options.event);
    await result.settled;
    if (mayHaveSpansUnderWay(result)) await arrival(receiver);
    return { result, spans: receiver.spans() };
  } finally {
    await running.close();
  }
}

async function startRuntime(
  { command, handler, taskRoot, env, timeoutMs }: InvokeOnceOptions,
  sending: Variables,
): Promise<RunningFunction> {
  const functionName = env.AWS_LAMBDA_FUNCTION_NAME ?? DEFAULT_FUNCTION_NAME;
  let running: RunningFunction | undefined;
  const onTimeout = (): void => void running?.kill();
  const api = await startRuntimeApi({ functionName, handler, timeoutMs, onTimeout });
  const platform = platformEnvironment({
    functionName,
    functionVersion: "$LATEST",
    handler,
    taskRoot,
    memoryMb: DEFAULT_MEMORY_MB,
    region: "us-east-1",
    runtimeApi: api.address,
    executionEnvironment: "AWS_Lambda_Image",
    maxConcurrency: undefined,
  });
  const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER } = platform;
  const spawnedMs = nowMs();
  try {
    const child = await spawnRuntime(command, {
      ...without(ROLE_AND_PLACE, platform),
      ...without(SENDING, env),
      AWS_LAMBDA_RUNTIME_API,
      LAMBDA_TASK_ROOT,
      _HANDLER,
      ...sending,
    });
    running = new RunningFunction(child, api, {
      spawnedMs,
      managedInstances: false,
      freezeWhenIdle: false,
    });
    return running;
  } catch (error) {
    await api.close();
    throw error;
  }
}

function without(names: RegExp, variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !names.test(name)));
}

async function spawnRuntime(
  [program = "", ...parameters]: readonly string[],
  env: Variables,
): Promise<ChildProcess> {
  const child = spawn(program, parameters, { env, stdio: ["ignore", STDERR, STDERR] });
  await once(child, "spawn");
  return child;
}

/** Not after a failed init, which made none, and not when the process is gone. */
function mayHaveSpansUnderWay({ outcome, handedOutMs }: InvocationResult): boolean {
  return handedOutMs !== undefined && (outcome === "response" || outcome === "error");
}

/** Resolves when the invocation's own span is here, its last; or when none will come any more. */
async function arrival(receiver: OtlpReceiver): Promise<void> {
  const isHere = (spans: readonly ReceivedSpan[]): boolean =>
    spans.some(({ kind }) => kind === "SERVER");
  await receiver.waitForSpans(isHere, ARRIVAL_TIMEOUT_MS).catch(() => undefined);
}
