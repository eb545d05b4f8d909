/** Directories under `.cache/` that are made once and used by every process of this checkout. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const CACHE = fileURLToPath(new URL("../.cache", import.meta.url));

/** npm may write as much as a whole compiler's output. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

const runFile = promisify(execFile);

/**
 * The cached directory of this name, made by `fill` when it is not there. Processes that race each
 * fill a directory of their own; the first to finish gives it its name and the others use that.
 */
export async function cached(
  name: string,
  fill: (directory: string) => Promise<void>,
): Promise<string> {
  const target = join(CACHE, name);
  if (existsSync(target)) return target;
  const draft = `${target}.${randomUUID()}`;
  await mkdir(draft, { recursive: true });
  try {
    await fill(draft);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

/** The cached directory of this name, if somebody made it. */
export function findCached(name: string): string | undefined {
  const target = join(CACHE, name);
  return existsSync(target) ? target : undefined;
}

/**
 * A name for what is made of a package folder, given beside this file or as a `file:` URL: it
 * changes with the lock file.
 */
export async function lockedName(folder: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await readFile(lockFile(folder)));
  return `runtimes/${basename(folder)}-${Buffer.from(digest).toString("hex").slice(0, 8)}`;
}

/** Installs such a folder by its lock file, without any install script. */
export async function installLocked(folder: string): Promise<string> {
  return cached(await lockedName(folder), async (directory) => {
    const lock = lockFile(folder);
    await copyFile(lock, join(directory, "package-lock.json"));
    await copyFile(join(lock, "../package.json"), join(directory, "package.json"));
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], directory);
  });
}

/** Runs a command to its end; rejects with its output when it fails. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  await runFile(command, [...args], { cwd, maxBuffer: MAX_OUTPUT_BYTES });
}

function lockFile(folder: string): string {
  return fileURLToPath(new URL(`${folder}/package-lock.json`, import.meta.url));
}
