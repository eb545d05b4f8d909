/** Sees CommonJS modules of chosen packages right after they ran, however they were loaded. */
import { Module } from "node:module";
import { dirname, isAbsolute } from "node:path";
import { warnOnce } from "../diag.ts";
import { OWN_FILE } from "../own-file.ts";
import { currentFrames, spliceStack } from "../stack-splice.ts";

/** Gets a module's exports and returns those that everyone shall see. */
export type ModulePatch = (
  exports: unknown,
  /** `pkg` for a package's main file, else `pkg/path/of/file.js`. */
  name: string,
  /** The package's own directory. */
  baseDir: string,
) => unknown;

/** What `node:module` has beside its documented API, and every `require` and `import` of CommonJS runs through. */
interface Loader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: unknown): string;
  readonly _cache: Readonly<Record<string, { exports: unknown; loaded: boolean } | undefined>>;
}

const NODE_MODULES = "/node_modules/";
/** By path or by URL. */
const OWN_FILES = `${dirname(OWN_FILE)}/`;

/**
 * Calls `patch` once per file of these packages.
 *
 * `module.registerHooks` would see the same modules, but before they ran, and its resolve hook costs
 * 25–60 µs for each module of the process; this costs a string search.
 */
export function watchModules(packages: ReadonlySet<string>, patch: ModulePatch): void {
  const loader = Module as unknown as Loader;
  const load = loader._load;
  const seen = new Set<string>();

  loader._load = function coldspanLoad(request, parent, isMain) {
    const exports = loadUnseen(load.bind(this, request, parent, isMain));
    const packageName = packageOf(request);
    if (!packages.has(packageName)) return exports;
    try {
      const filename = isAbsolute(request) ? request : loader._resolveFilename(request, parent);
      const cached = loader._cache[filename];
      // A module in a cycle is seen again when it is complete.
      if (cached === undefined || !cached.loaded) return exports;
      if (!seen.has(filename)) {
        seen.add(filename);
        cached.exports = patchFile(filename, packageName, cached.exports, patch);
      }
      return cached.exports;
    } catch (error) {
      warnOnce(
        `instrument ${packageName}`,
        `could not instrument ${packageName}: ${String(error)}`,
      );
      return exports;
    }
  };
}

/** An error of the module being loaded shows no frame of ours, and Node's own frame by its own name. */
function loadUnseen(load: () => unknown): unknown {
  try {
    return load();
  } catch (error) {
    const frames = currentFrames();
    spliceStack(error, isOwnFrame, frames.slice(frames.findIndex((frame) => !isOwnFrame(frame))));
    throw error;
  }
}

function isOwnFrame(frame: string): boolean {
  return frame.includes(OWN_FILES);
}

function patchFile(
  filename: string,
  packageName: string,
  exports: unknown,
  patch: ModulePatch,
): unknown {
  const baseLength = filename.lastIndexOf(`${NODE_MODULES}${packageName}/`);
  if (baseLength === -1) return exports;
  const baseDir = filename.slice(0, baseLength + NODE_MODULES.length + packageName.length);
  const isMainFile = Module.createRequire(filename).resolve(packageName) === filename;
  const name = isMainFile ? packageName : packageName + filename.slice(baseDir.length);
  return patch(exports, name, baseDir);
}

/** The package of `@scope/pkg/file` or of a path; a relative request gives what no package is called. */
function packageOf(request: string): string {
  const start = request.lastIndexOf(NODE_MODULES);
  const path = start === -1 ? request : request.slice(start + NODE_MODULES.length);
  const slash = path.indexOf("/");
  const end = path.startsWith("@") && slash !== -1 ? path.indexOf("/", slash + 1) : slash;
  return end === -1 ? path : path.slice(0, end);
}
