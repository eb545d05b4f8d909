/** Results on disk: `results/{kind}.json` and the tables beside it, committed by hand. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Machine } from "./machine.ts";

/** What is committed. */
export const RESULTS: string = fileURLToPath(new URL("../results", import.meta.url));

/** What every result says about itself. */
export interface Header {
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly machine: Machine;
}

/** Reads what was saved. Throws when nothing was. */
export function readResults<T extends Header>(kind: string, directory: string = RESULTS): T {
  return JSON.parse(readFileSync(join(directory, `${kind}.json`), "utf8")) as T;
}

/** Writes the figures, and the tables made of them beside it; without a directory nothing. */
export function saveResults(
  kind: string,
  results: Header,
  markdown: string,
  directory: string | undefined,
): void {
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${kind}.json`), `${JSON.stringify(results, undefined, 1)}\n`);
  writeFileSync(join(directory, `${kind}.md`), `${markdown}\n`);
}
