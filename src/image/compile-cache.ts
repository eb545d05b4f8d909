/**
 * V8's compile cache, filled while an image is built and only read in Lambda.
 *
 * Node keeps it in a directory named by its own version, the architecture, V8's version and flags, and
 * the user's id: what does not fit is never used. The image is built as another user than Lambda's, on
 * whose read-only root no directory of its own name can be made: a link in `/tmp` has that name.
 */
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { codeCacheDirectory, fillCodeCache, useCodeCache } from "./code-cache.ts";

export const COMPILE_CACHE_LINKS = "/tmp/coldspan-compile-cache";
/** Sizes of the heap, which Node 22's V8 counts among the flags that make code what it is. */
const HEAP_FLAG = /^--max[-_](?:old|semi)[-_]space[-_]size=/;
const FIRST_MAJOR_WITHOUT_HEAP_FLAGS = 24;

/** For when the handler is loaded; answers lines for the log of a user who asks why it took so long. */
export type HandlerLoaded = () => readonly string[];

/** Makes compiled code come from `directory`. */
export function useCompileCache(directory: string): HandlerLoaded {
  const names = namesOfThisNode(directory);
  if (names.length === 0) return () => [`no compiled code in ${directory}: run coldspan warm`];
  const restoreFlags = forgetHeapFlags();
  const report = useCodeCache(codeCacheDirectory(directory));
  if (linkAll(directory, names)) enableCompileCache(COMPILE_CACHE_LINKS);
  return () => {
    restoreFlags();
    return report();
  };
}

/**
 * Collects compiled code, and writes it to `directory` on SIGUSR2, which ends the process.
 *
 * @param isPriming Whether the image itself is being built, not a user's.
 */
export function fillCompileCache(directory: string, isPriming: boolean): HandlerLoaded {
  forgetHeapFlags();
  enableCompileCache(directory);
  const writeCode = fillCodeCache(codeCacheDirectory(directory), isPriming);
  process.once("SIGUSR2", () => {
    writeCode();
    flushCompileCache();
    // `process.exit` would wait for the runtime's long poll.
    process.kill(process.pid, "SIGKILL");
  });
  return () => [];
}

function namesOfThisNode(directory: string): string[] {
  const prefix = `${process.version}-${process.arch}-`;
  try {
    return readdirSync(directory).filter((name) => name.startsWith(prefix));
  } catch {
    return []; // The files alone, in an image that was never warmed.
  }
}

function nameForThisUser(name: string): string {
  return name.replace(/-\d+$/, `-${process.getuid?.() ?? 0}`);
}

/** False where `/tmp` cannot be written: the function then starts slower, and runs as ever. */
function linkAll(directory: string, names: readonly string[]): boolean {
  try {
    mkdirSync(COMPILE_CACHE_LINKS, { recursive: true });
    for (const name of names) {
      const link = join(COMPILE_CACHE_LINKS, nameForThisUser(name));
      // It is there when the runtime was started again in the same environment.
      if (!existsSync(link)) symlinkSync(join(directory, name), link);
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * Sets the heap's sizes to their defaults in V8's list of flags: this heap has its size already, and
 * with each memory size Lambda would otherwise need a cache of its own. Returns what undoes it, for the
 * sake of worker threads; the modules that load after the handler's get a turn first.
 */
function forgetHeapFlags(): () => void {
  const flags = process.execArgv.filter((option) => HEAP_FLAG.test(option));
  const major = Number.parseInt(process.versions.node, 10);
  if (major >= FIRST_MAJOR_WITHOUT_HEAP_FLAGS || flags.length === 0) return () => undefined;
  const { setFlagsFromString } = process.getBuiltinModule("node:v8");
  for (const flag of flags) setFlagsFromString(flag.replace(/\d+$/, "0"));
  return () => {
    setImmediate(() =>
      flags.forEach((flag) => {
        setFlagsFromString(flag);
      }),
    );
  };
}
