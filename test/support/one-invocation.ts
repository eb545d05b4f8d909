/** Runs a function in the real runtime client for one invocation, and tells all that anybody sees of it. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureNode, ensureRuntime, type RicMajor } from "../../runtimes/runtimes.ts";
import type { FunctionError } from "../../src/dev/answer.ts";
import { startFunction } from "../../src/dev/function-process.ts";
import type { ExitStatus } from "../../src/dev/running-function.ts";

export interface Run {
  readonly client: RicMajor;
  readonly taskRoot: string;
  readonly handler: string;
  /** Module given to Node by `--import`. */
  readonly preload?: string;
  readonly maxConcurrency?: number;
}

export interface Outcome {
  readonly initError: FunctionError | undefined;
  /** The answer's text; undefined when init failed. */
  readonly answer: string | undefined;
  readonly stdout: string;
  /** Undefined when the test ended the function. */
  readonly exit: ExitStatus | undefined;
}

/** A new task root inside `parent` with the given files. */
export function taskRootIn(parent: string, files: Record<string, string>): string {
  const root = mkdtempSync(join(parent, "task-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

/** Starts the function as the managed runtime of this client does, and gives it one event. */
export async function invokeOnce({
  client,
  taskRoot,
  handler,
  preload,
  maxConcurrency,
}: Run): Promise<Outcome> {
  const running = await startFunction({
    node: await ensureNode(client === 3 ? 22 : 24),
    ric: await ensureRuntime(client),
    taskRoot,
    handler,
    ...(preload === undefined ? {} : { execArgv: ["--import", preload] }),
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
  });
  try {
    const init = await running.api.initialized;
    if (init.kind !== "ready") {
      const exit = await running.exited;
      return { initError: running.api.initError, answer: undefined, stdout: running.stdout, exit };
    }
    const { body } = await running.invoke({});
    await running.kill();
    const answer = body.toString();
    return { initError: undefined, answer, stdout: running.stdout, exit: undefined };
  } finally {
    await running.close();
  }
}
