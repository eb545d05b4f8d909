/** Functions in the real runtimes of Lambda. */
import { ensureNode, ensureRuntime, type RicMajor } from "../../runtimes/runtimes.ts";
import type { TaskRoot } from "../../runtimes/task-root.ts";
import {
  type FunctionOptions,
  type NodeBinary,
  startFunction,
} from "../../src/dev/function-process.ts";
import type { FunctionProcess } from "../../src/dev/running-function.ts";

/** A Node.js with the runtime client that Lambda runs on it. */
export interface Runtime {
  readonly node: NodeBinary["major"];
  readonly ric: RicMajor;
}

/** Lambda's Node 24 and 22: every Node and every client once. */
export const LAMBDA_RUNTIMES: readonly Runtime[] = [
  { node: 24, ric: 4 },
  { node: 22, ric: 3 },
];

/** Those, and 22 with the newer client as on Managed Instances. */
export const RUNTIMES: readonly Runtime[] = [...LAMBDA_RUNTIMES, { node: 22, ric: 4 }];

/** Starts `handler` of a task root. */
export async function deploy(
  runtime: Runtime,
  taskRoot: TaskRoot,
  options: Omit<FunctionOptions, "node" | "ric" | "taskRoot">,
): Promise<FunctionProcess> {
  return startFunction({
    node: await ensureNode(runtime.node),
    ric: await ensureRuntime(runtime.ric),
    taskRoot: taskRoot.path,
    ...options,
  });
}
