/**
 * V8's code of CommonJS bundles, with every function that ran while the image was built.
 *
 * Node's own compile cache holds what V8 compiles on sight. Of a bundle, whose modules are functions
 * inside one, that is little more than an outline: the rest is compiled again at every cold start. With
 * this cache coldspan's own share of one takes 37 ms instead of 67, and a bundle of three AWS clients
 * starts traced in 0.79 of the time it takes untraced, instead of 0.97.
 *
 * An entry is used only for the very text it was made from, by the same Node.js on the same architecture
 * (V8 itself looks at its version and flags); whatever else is compiled as ever.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Script } from "node:vm";
import { compileAll, compileFile } from "./compile-hook.ts";
import { isOwnFile, STAMP_LENGTH, stampOf } from "./file-stamp.ts";

/** Smaller files cannot gain enough. */
const MIN_CHARACTERS = 32_768;
/** Of the user's files: what ran must have added this much to what Node's own cache would hold. */
const MIN_GAIN_BYTES = 65_536;
/** Bytes of a file's name on Linux; an entry is named by the whole path of its file, of ASCII alone. */
const MAX_NAME_LENGTH = 255;
/** What Node calls CommonJS with, around the text of a file. */
const HEAD = "(function (exports, require, module, __filename, __dirname) { ";
const TAIL = "\n})";
let hasImported = false;

/** Where the code for this Node.js is, below the directory of all caches. */
export function codeCacheDirectory(directory: string): string {
  return join(directory, `code-${process.version}-${process.arch}`);
}

/**
 * Makes code come from `directory`; without it, nothing happens.
 *
 * @returns What became of each entry so far, a line each.
 */
export function useCodeCache(directory: string): () => readonly string[] {
  const report: string[] = [];
  for (const name of entriesOf(directory)) {
    compileFile(decodeURIComponent(name), (content, filename) => {
      const code = readCode(join(directory, name), stampOf(content, filename));
      const script = code && scriptOf(content, filename, code);
      report.push(`compiled code of ${filename} was ${fateOf(script)}`);
      return script;
    });
  }
  return () => report;
}

function fateOf(script: Script | undefined): string {
  if (script === undefined) return "made from another text: run coldspan warm again";
  return script.cachedDataRejected ? "rejected by V8" : "used";
}

interface Collected {
  readonly script: Script;
  readonly content: string;
  readonly filename: string;
  /** Of the entry. */
  readonly path: string;
  /** What V8 had compiled before anything ran. */
  readonly outlineBytes: number;
}

/**
 * Collects the code of large files from now on. The function returned writes it to `directory`.
 *
 * @param isPriming Adds to the code that is there. Else an entry that is valid stays as it is: it has run
 *   a whole invocation, and a process that only loads modules may have dropped some of it by now.
 */
export function fillCodeCache(directory: string, isPriming: boolean): () => void {
  const collected: Collected[] = [];
  const compileOnly = compileAll((content, filename) => {
    if (content.length < MIN_CHARACTERS) return undefined;
    const path = join(directory, encodeURIComponent(filename));
    const code = readCode(path, stampOf(content, filename));
    try {
      const script = scriptOf(content, filename, code);
      if (isPriming || script.cachedDataRejected !== false) {
        const outlineBytes = script.createCachedData().byteLength;
        collected.push({ script, content, filename, path, outlineBytes });
      }
      return script;
    } catch {
      return undefined; // No CommonJS, or none at all: Node tells it in its own words.
    }
  });
  return () => {
    mkdirSync(directory, { recursive: true });
    for (const { script, content, filename, path, outlineBytes } of collected) {
      const code = script.createCachedData();
      const isWorthIt = code.byteLength - outlineBytes >= MIN_GAIN_BYTES || isOwnFile(filename);
      if (isWorthIt && basename(path).length <= MAX_NAME_LENGTH) {
        writeFileSync(path, Buffer.concat([Buffer.from(stampOf(content, filename)), code]));
      } else {
        compileOnly(content, filename); // So that Node's own cache has it.
      }
    }
  };
}

/** The code in an entry that was made from the text of this stamp. */
function readCode(path: string, stamp: string): Buffer | undefined {
  try {
    const entry = readFileSync(path);
    const isOfThisText = entry.toString("latin1", 0, STAMP_LENGTH) === stamp;
    return isOfThisText ? entry.subarray(STAMP_LENGTH) : undefined;
  } catch {
    return undefined; // No entry yet, or none that this user may read.
  }
}

function entriesOf(directory: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(directory));
  } catch {
    return new Set(); // The files alone, in an image that was never warmed.
  }
}

/** The function around a text, as Node makes it. */
export function scriptOf(content: string, filename: string, cachedData?: Buffer): Script {
  const { Script, constants } = process.getBuiltinModule("node:vm");
  const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  if (!hasImported && content.includes("import(")) {
    hasImported = true;
    importUnwarned(Script, importModuleDynamically);
  }
  return new Script(HEAD + content + TAIL, {
    filename,
    columnOffset: -HEAD.length,
    ...(cachedData === undefined ? {} : { cachedData }),
    importModuleDynamically,
  });
}

/**
 * Imports what is loaded already. The first `import()` of such a script has Node warn, once in a process,
 * that this way of making scripts is experimental: the user did not choose it.
 */
function importUnwarned(
  Script: typeof import("node:vm").Script,
  importModuleDynamically: number,
): void {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    new Script('import("node:module")', { importModuleDynamically }).runInThisContext();
  } finally {
    process.emitWarning = emitWarning;
  }
}
