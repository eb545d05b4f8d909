/** Functions as users deploy them: bundled apart from coldspan, run by the real runtime client. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ensureNode, ensureRuntime, type RicMajor } from "../../runtimes/runtimes.ts";
import {
  type FunctionOptions,
  type FunctionProcess,
  type NodeBinary,
  startFunction,
} from "../../src/dev/function-process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export type ModuleFormat = "esm" | "cjs";

/** A Node.js with the runtime client that Lambda's image of it carries. */
export interface Runtime {
  readonly node: NodeBinary["major"];
  readonly ric: RicMajor;
}

/** Lambda's Node 22 and 24, and 22 with the newer client as on Managed Instances. */
export const RUNTIMES: readonly Runtime[] = [
  { node: 24, ric: 4 },
  { node: 22, ric: 4 },
  { node: 22, ric: 3 },
];

export interface TaskRoot {
  readonly path: string;
  remove(): Promise<void>;
}

/** A directory with the function's module and `node_modules`, as in an image. */
export async function createTaskRoot(entry: string, format: ModuleFormat): Promise<TaskRoot> {
  const path = await mkdtemp(join(tmpdir(), "coldspan-function-"));
  await mkdir(join(path, "node_modules/@opentelemetry"), { recursive: true });
  await symlink(ROOT, join(path, "node_modules/coldspan"));
  await symlink(
    join(ROOT, "node_modules/@opentelemetry/api"),
    join(path, "node_modules/@opentelemetry/api"),
  );
  await build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    platform: "node",
    target: "node22.15",
    format,
    packages: "external",
    outfile: join(path, "app.js"),
    logLevel: "warning",
  });
  await writeFile(
    join(path, "package.json"),
    JSON.stringify({ type: format === "esm" ? "module" : "commonjs" }),
  );
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Starts `handler` of a task root in a real runtime. */
export async function startIn(
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
