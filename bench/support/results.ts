/** Results on disk: `results/{kind}.json`, committed by hand after a full run. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Machine } from "./machine.ts";

const DIRECTORY = new URL("../results/", import.meta.url);

/** What every result says about itself. */
export interface Header {
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly machine: Machine;
}

/** Reads what was committed; undefined when nothing was. */
export function readResults<T extends Header>(kind: string): T | undefined {
  try {
    return JSON.parse(readFileSync(new URL(`${kind}.json`, DIRECTORY), "utf8")) as T;
  } catch {
    return undefined;
  }
}

/** Writes the figures, and the tables made of them beside it. */
export function saveResults(kind: string, results: Header, markdown: string): void {
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(new URL(`${kind}.json`, DIRECTORY), `${JSON.stringify(results, undefined, 1)}\n`);
  writeFileSync(new URL(`${kind}.md`, DIRECTORY), `${markdown}\n`);
}
