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

/** For each package its files that are patched: `MAIN_FILE`, or a path that begins at the package's directory. */
export type PatchedFiles = ReadonlyMap<string, readonly string[]>;

/** The file that the package's name stands for. */
export const MAIN_FILE = "";

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
 * Calls `patch` once per file of these.
 *
 * `module.registerHooks` would see the same modules, but before they ran, and its resolve hook costs
 * 25–60 µs for each module of the process; this costs a string search, and for a module of these packages
 * one more resolution.
 */
export function watchModules(packages: PatchedFiles, patch: ModulePatch): void {
  const loader = Module as unknown as Loader;
  const load = loader._load;
  const done = new Map<string, WeakSet<WeakKey>>();

  loader._load = function coldspanLoad(request, parent, isMain) {
    const exports = loadUnseen(load.bind(this, request, parent, isMain));
    const packageName = packageOf(request);
    const files = packages.get(packageName);
    if (files === undefined || !isWeakKey(exports)) return exports;
    // Every file of a package requires the others again. By request, too: two files may have one object
    // for their exports, of which one is patched.
    const seen = done.get(request) ?? new WeakSet();
    if (seen.has(exports)) return exports;
    done.set(request, seen);
    try {
      const filename = isAbsolute(request) ? request : loader._resolveFilename(request, parent);
      const cached = loader._cache[filename];
      // A module in a cycle is seen again when it is complete.
      if (cached === undefined || !cached.loaded) return exports;
      seen.add(exports);
      const file = patchedFile(filename, packageName, files);
      if (file === undefined) return exports;
      const patched = patch(exports, file.name, file.baseDir);
      if (isWeakKey(patched)) seen.add(patched);
      cached.exports = patched;
      return patched;
    } catch (error) {
      warnOnce(
        `instrument ${packageName}`,
        `could not instrument ${packageName}: ${String(error)}`,
      );
      return exports;
    }
  };
}

function isWeakKey(value: unknown): value is WeakKey {
  return (typeof value === "object" && value !== null) || typeof value === "function";
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

/** What a patch is told of a file, if the file is one of `files`. */
function patchedFile(
  filename: string,
  packageName: string,
  files: readonly string[],
): { readonly name: string; readonly baseDir: string } | undefined {
  const baseLength = filename.lastIndexOf(`${NODE_MODULES}${packageName}/`);
  if (baseLength === -1) return undefined;
  const baseDir = filename.slice(0, baseLength + NODE_MODULES.length + packageName.length);
  const path = filename.slice(baseDir.length);
  if (files.includes(path)) return { name: packageName + path, baseDir };
  if (!files.includes(MAIN_FILE)) return undefined;
  const isMainFile = Module.createRequire(filename).resolve(packageName) === filename;
  return isMainFile ? { name: packageName, baseDir } : undefined;
}

/** The package of `@scope/pkg/file` or of a path; a relative request gives what no package is called. */
function packageOf(request: string): string {
  const start = request.lastIndexOf(NODE_MODULES);
  const path = start === -1 ? request : request.slice(start + NODE_MODULES.length);
  const slash = path.indexOf("/");
  const end = path.startsWith("@") && slash !== -1 ? path.indexOf("/", slash + 1) : slash;
  return end === -1 ? path : path.slice(0, end);
}
