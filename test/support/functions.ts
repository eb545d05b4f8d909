/** Functions written to temporary directories and run in the real Lambda runtime. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Addon, ensureNode, ensureRuntime } from "../../runtimes/runtimes.ts";
import { type FunctionOptions, startFunction } from "../../src/dev/function-process.ts";
import type { FunctionProcess } from "../../src/dev/running-function.ts";

/** A pairing of Node.js and runtime client that Lambda or an image on its own base runs. */
export interface Runtime {
  readonly node: 22 | 24;
  readonly ric: 3 | 4;
}

export const RUNTIMES: readonly Runtime[] = [
  { node: 22, ric: 3 },
  { node: 22, ric: 4 },
  { node: 24, ric: 4 },
];

export const NEWEST: Runtime = { node: 24, ric: 4 };

/** File name to content; the directory is removed when the test is over. */
export async function writeTaskRoot(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "coldspan-task-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(directory, name), content);
  }
  return directory;
}

/** Starts the function; process and Runtime API are gone when the test is over. */
export async function runFunction(
  runtime: Runtime,
  files: Readonly<Record<string, string>>,
  handler: string,
  options: Partial<FunctionOptions> & { readonly addon?: Addon } = {},
): Promise<FunctionProcess> {
  const { addon, ...functionOptions } = options;
  const running = await startFunction({
    node: await ensureNode(runtime.node),
    ric: await ensureRuntime(runtime.ric, addon),
    taskRoot: await writeTaskRoot(files),
    handler,
    ...functionOptions,
  });
  onTestFinished(() => running.close());
  return running;
}
