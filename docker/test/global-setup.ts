/** One engine and one stand-in base image per Node version for the whole run. */
import type { TestProject } from "vitest/node";
import { startEngine } from "./engine.ts";
import { buildStandInBase } from "./stand-in-base.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** `DOCKER_HOST` of the engine; undefined for the default one. */
    dockerHost: string | undefined;
    baseImages: Readonly<Record<"22" | "24", string>>;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await startEngine();
  try {
    project.provide("dockerHost", engine.host);
    project.provide("baseImages", {
      24: await buildStandInBase(engine, 24),
      22: await buildStandInBase(engine, 22),
    });
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return () => engine.stop();
}
