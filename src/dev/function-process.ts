/** Starts a function in the real Lambda runtime client, under a Lambda of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { nowMs } from "./json-http.ts";
import { platformEnvironment } from "./platform-environment.ts";
import { type FunctionProcess, RunningFunction } from "./running-function.ts";
import { type RuntimeApiOptions, startRuntimeApi } from "./runtime-api.ts";

const DEFAULT_MEMORY_MB = 128;

/** A Node.js binary. */
export interface NodeBinary {
  readonly path: string;
  readonly major: 22 | 24;
}

/** An installed `aws-lambda-ric`. */
export interface RuntimeClient {
  /** The file that Node runs. */
  readonly path: string;
  /** 4 reads handler and task root from the environment, 3 from argv and working directory. */
  readonly major: 3 | 4;
}

export interface FunctionOptions {
  readonly node: NodeBinary;
  readonly ric: RuntimeClient;
  /** The directory with the function's code: absolute. */
  readonly taskRoot: string;
  /** As in CMD of the image, e.g. `app.handler`. */
  readonly handler: string;
  /** Comes on top of the platform's variables, and wins. */
  readonly env?: Readonly<Record<string, string>>;
  /** Node options after those of the base image's bootstrap. */
  readonly execArgv?: readonly string[];
  /** Default `my-function`. */
  readonly functionName?: string;
  /** Default `$LATEST`. */
  readonly functionVersion?: string;
  /** Default 128, Lambda's own; told to the function, not enforced. */
  readonly memoryMb?: number;
  /** Makes it a function on Managed Instances. */
  readonly maxConcurrency?: number;
  /** SIGSTOP whenever Lambda would freeze, SIGCONT at the next invocation. Default false. */
  readonly freezeWhenIdle?: boolean;
  /** Settings of the Runtime and Extensions API. */
  readonly api?: Omit<
    RuntimeApiOptions,
    "functionName" | "functionVersion" | "handler" | "managedInstances" | "onTimeout"
  >;
}

/** Starts a function; init runs on, see `api.initialized`. Rejects when `node` cannot be run. */
export async function startFunction(options: FunctionOptions): Promise<FunctionProcess> {
  const { handler, functionName = "my-function", functionVersion = "$LATEST" } = options;
  const managedInstances = options.maxConcurrency !== undefined;
  let running: RunningFunction | undefined;
  const api = await startRuntimeApi({
    ...options.api,
    functionName,
    functionVersion,
    handler,
    managedInstances,
    onTimeout: () => void running?.terminate("TIMEOUT"),
  });
  const environment = platformEnvironment({
    functionName,
    functionVersion,
    handler,
    taskRoot: options.taskRoot,
    memoryMb: options.memoryMb ?? DEFAULT_MEMORY_MB,
    region: "us-east-1",
    runtimeApi: api.address,
    executionEnvironment: `AWS_Lambda_nodejs${options.node.major}.x`,
    maxConcurrency: options.maxConcurrency,
  });
  const spawnedMs = nowMs();
  const child = spawnRuntime(options, { ...environment, ...options.env });
  try {
    await once(child, "spawn");
  } catch (error) {
    await api.close();
    throw error;
  }
  const { freezeWhenIdle = false } = options;
  running = new RunningFunction(child, api, { spawnedMs, managedInstances, freezeWhenIdle });
  return running;
}

function spawnRuntime(options: FunctionOptions, env: Record<string, string>): ChildProcess {
  const { node, ric, taskRoot, handler, execArgv = [] } = options;
  const argv = [...bootstrapFlags(node), ...execArgv, ric.path];
  if (ric.major === 3) argv.push(handler);
  return spawn(node.path, argv, { cwd: taskRoot, env, stdio: ["ignore", "pipe", "pipe"] });
}

/** What the base image's `/var/runtime/bootstrap` passes to Node, memory flags aside. */
function bootstrapFlags(node: NodeBinary): string[] {
  const common = ["--expose-gc", "--max-http-header-size=81920"];
  if (node.major === 24) return common;
  return [...common, "--no-experimental-require-module", "--no-experimental-detect-module"];
}
