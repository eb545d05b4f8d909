/** Writes the generated parts of the README: the tables of variables and of costs. `npm run readme`. */
import { readFileSync, writeFileSync } from "node:fs";
import type { ColdResults } from "../bench/support/cold-report.ts";
import { describeCosts } from "../bench/support/readme-table.ts";
import { readResults } from "../bench/support/results.ts";
import type { WarmResults } from "../bench/support/warm-report.ts";
import { VARIABLES } from "../src/variables.ts";

const README = "README.md";

/** The table of variables, as the README must show it. */
export function variablesTable(): string {
  const rows = VARIABLES.map(
    ({ name, default: fallback, meaning }) =>
      `| \`${name}\` | ${fallback === "" ? "" : `\`${fallback}\``} | ${meaning} |`,
  );
  return ["| Variable | Default | Meaning |", "|---|---|---|", ...rows].join("\n");
}

/** What tracing costs, by the benchmarks' committed results. */
export function costsTable(): string {
  return describeCosts(readResults<ColdResults>("cold-start"), readResults<WarmResults>("warm"));
}

/** What stands between the markers of a generated part. */
export function readSection(text: string, name: string): string {
  const [start, end] = markers(name);
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from === -1 || to === -1) throw new Error(`${README} has no markers for "${name}"`);
  return text.slice(from + start.length, to).trim();
}

/** The text with a generated part replaced. */
export function replaceSection(text: string, name: string, content: string): string {
  const [start, end] = markers(name);
  readSection(text, name);
  const [before = ""] = text.split(start);
  const after = text.slice(text.indexOf(end));
  return `${before}${start}\n\n${content}\n\n${after}`;
}

function markers(name: string): [string, string] {
  return [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
}

if (import.meta.main) {
  const withVariables = replaceSection(readFileSync(README, "utf8"), "variables", variablesTable());
  writeFileSync(README, replaceSection(withVariables, "costs", costsTable()));
}
