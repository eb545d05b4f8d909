/** Writes the generated parts of the README: the table of variables. `npm run readme`. */
import { readFileSync, writeFileSync } from "node:fs";
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
  writeFileSync(
    README,
    replaceSection(readFileSync(README, "utf8"), "variables", variablesTable()),
  );
}
