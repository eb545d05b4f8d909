/** Compiling CommonJS files in Node's place, from scripts that come from elsewhere. */
import { Module } from "node:module";
import { dirname } from "node:path";
import type { Script } from "node:vm";
import { type Compile, hideCompileFrame, restoreCompileFrame } from "./compile-frame.ts";

const EXECUTING = "kIsExecuting";
/** Not a file: Node looks into its own cache for it no more than once. */
const REQUIRE_FILE = "coldspan:require";

/** A script that evaluates to the function around a module's text; `undefined`: Node compiles it. */
export type FindScript = (content: string, filename: string) => Script | undefined;

type Wrapper = (...parameters: readonly unknown[]) => unknown;

/** What `node:module` has beside its documented API. */
const loader = Module as unknown as {
  readonly prototype: { _compile: Compile };
  /** Every CommonJS module, by file name: what `require.cache` shows. */
  readonly _cache: Record<string, Module | undefined>;
};

/**
 * Asks `findScript` for one file, if it is ever loaded. Such a module runs as Node would run it: same
 * `require`, same frames in its errors. Of all others nothing is touched: Node meets the stand-in where
 * it lists the module, not on the way of every module.
 */
export function compileFile(filename: string, findScript: FindScript): void {
  if (loader._cache[filename] !== undefined) return;
  Object.defineProperty(loader._cache, filename, {
    configurable: true,
    enumerable: false,
    get: () => undefined,
    set(module: Module) {
      // Removed first: its place among the others is where Node puts it.
      Reflect.deleteProperty(loader._cache, filename);
      loader._cache[filename] = module;
      // Users put stand-ins of their own there, which nobody compiles.
      if (!(module instanceof Module)) return;
      const value = standInFor(loader.prototype._compile, findScript);
      Object.defineProperty(module, "_compile", { value, configurable: true, writable: true });
    },
  });
}

/**
 * Asks `findScript` for every file from now on.
 *
 * @returns Has Node compile a text without running it.
 */
export function compileAll(findScript: FindScript): (content: string, filename: string) => void {
  const compile = loader.prototype._compile;
  loader.prototype._compile = standInFor(compile, findScript);
  return (content, filename) => compileOnly(content, filename, compile);
}

/** Its name shows in stacks, from which it is taken out. */
function standInFor(compile: Compile, findScript: FindScript): Compile {
  return function compileCached(content, filename, format) {
    Reflect.deleteProperty(this, "_compile");
    // TypeScript is no text that V8 compiles, and source maps are found by Node's own compiler.
    const isPlain = (format === undefined || format === "commonjs") && !process.sourceMapsEnabled;
    const script = isPlain ? findScript(content, filename) : undefined;
    if (script === undefined) {
      try {
        return compile.call(this, content, filename, format);
      } catch (error) {
        hideCompileFrame(error);
        throw error;
      }
    }
    const wrapper = script.runInThisContext() as Wrapper;
    // A module's `require` can be had only from inside.
    const require = compile.call(this, "return require", REQUIRE_FILE, "commonjs");
    const executing = executingFlagOf(this);
    Reflect.set(this, executing, true);
    try {
      return wrapper.call(this.exports, this.exports, require, this, filename, dirname(filename));
    } catch (error) {
      restoreCompileFrame(error, compile);
      throw error;
    } finally {
      Reflect.set(this, executing, false);
    }
  };
}

/** By this Node tells a module that still runs, where a cycle crosses into ES modules. */
function executingFlagOf(module: Module): symbol | string {
  const flags = Object.getOwnPropertySymbols(module);
  return flags.find(({ description }) => description === EXECUTING) ?? EXECUTING;
}

/** Node compiles a text before it asks for the `exports` that the text shall run with. */
function compileOnly(content: string, filename: string, compile: Compile): void {
  const stop = new Error("compiled");
  const module = Object.defineProperty(new Module(filename), "exports", {
    get() {
      throw stop;
    },
  });
  try {
    compile.call(module, content, filename, "commonjs");
  } catch (error) {
    if (error !== stop) throw error;
  }
}
