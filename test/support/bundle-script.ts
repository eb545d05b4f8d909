/** Modules made ready for many short processes: loaded from their sources, each would start 0.13 s later. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "esbuild";

export interface BundledScript {
  readonly path: string;
  remove(): Promise<void>;
}

/** Bundles a module of the repository with all that it imports. */
export async function bundleScript(entryPoint: string): Promise<BundledScript> {
  const directory = await mkdtemp(join(tmpdir(), "coldspan-script-"));
  const path = join(directory, basename(entryPoint).replace(/\.ts$/, ".mjs"));
  await build({
    entryPoints: [entryPoint],
    bundle: true,
    platform: "node",
    target: "node22.15",
    format: "esm",
    conditions: ["import", "module"],
    mainFields: ["module", "main"],
    outfile: path,
    logLevel: "warning",
  });
  return { path, remove: () => rm(directory, { recursive: true }) };
}
