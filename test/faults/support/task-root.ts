/** Vitest's global setup: the functions of this suite, bundled once. */
import type { TestProject } from "vitest/node";
import { createTaskRoot } from "../../../runtimes/task-root.ts";

declare module "vitest" {
  interface ProvidedContext {
    taskRoot: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const taskRoot = await createTaskRoot("test/fixtures/functions/faults.ts", "esm");
  project.provide("taskRoot", taskRoot.path);
  return () => taskRoot.remove();
}
