/** Vitest's global setup: the tests run what users install, so it is built first. */
import { bundlePackage } from "../../scripts/build.ts";

export async function setup(): Promise<void> {
  await bundlePackage();
}
