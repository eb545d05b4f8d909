/** One engine, and per Node version a stand-in base and coldspan's image on it, for the whole run. */
import type { TestProject } from "vitest/node";
import { bundlePackage } from "../../scripts/build.ts";
import { buildImageFiles } from "../../scripts/build-image.ts";
import { buildColdspanImage } from "./coldspan-image.ts";
import { type Engine, startEngine } from "./engine.ts";
import { buildStandInBase, type NodeMajor } from "./stand-in-base.ts";

export interface Images {
  readonly major: NodeMajor;
  /** Stands for AWS's image. */
  readonly base: string;
  /** `coldspan/nodejs` on it. */
  readonly coldspan: string;
}

declare module "vitest" {
  interface ProvidedContext {
    /** `DOCKER_HOST` of the engine; undefined for the default one. */
    dockerHost: string | undefined;
    /** Node 24 first. */
    images: readonly Images[];
    /** `coldspan/files`. */
    filesImage: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await startEngine();
  try {
    project.provide("dockerHost", engine.host);
    await bundlePackage();
    await buildImageFiles();
    const images = [await buildImages(engine, 24), await buildImages(engine, 22)];
    project.provide("images", images);
    const base = images[0]?.base ?? "";
    const tag = "coldspan-test/files";
    project.provide("filesImage", await buildColdspanImage(engine, { target: "files", base, tag }));
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return () => engine.stop();
}

/** Both images of one Node version; also for measurements. */
export async function buildImages(engine: Engine, major: NodeMajor): Promise<Images> {
  const base = await buildStandInBase(engine, major);
  const tag = `coldspan-test/nodejs:${major}`;
  return {
    major,
    base,
    coldspan: await buildColdspanImage(engine, { target: "nodejs", base, tag }),
  };
}
