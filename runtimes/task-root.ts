/** A function's directory as in an image: its bundled module beside `node_modules`. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const API = "node_modules/@opentelemetry/api";

export type ModuleFormat = "esm" | "cjs";

export interface TaskRoot {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Bundles a module of this repository into `app.js` of a new directory. Packages stay outside, as
 * installed: `coldspan` is what the build made of this checkout.
 */
export async function createTaskRoot(entry: string, format: ModuleFormat): Promise<TaskRoot> {
  const path = await mkdtemp(join(tmpdir(), "coldspan-function-"));
  await mkdir(join(path, "node_modules/@opentelemetry"), { recursive: true });
  await symlink(ROOT, join(path, "node_modules/coldspan"));
  await symlink(join(ROOT, API), join(path, API));
  await build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    platform: "node",
    target: "node22.15",
    format,
    packages: "external",
    // Not the repository's: its `paths` lead from the package's name to its sources.
    tsconfigRaw: {},
    outfile: join(path, "app.js"),
    logLevel: "warning",
  });
  await writeFile(
    join(path, "package.json"),
    JSON.stringify({ type: format === "esm" ? "module" : "commonjs" }),
  );
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
