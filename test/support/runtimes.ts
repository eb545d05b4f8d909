/** Vitest's global setup: what runs functions is installed before any test's clock starts. */
import { ensureNode, ensureRuntime } from "../../runtimes/runtimes.ts";

export async function setup(): Promise<void> {
  await Promise.all([ensureRuntime(3), ensureRuntime(4), ensureNode(22)]);
}
