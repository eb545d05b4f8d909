/** The deployment guide's text for each tool, as a reader copies it. */
import { readFileSync } from "node:fs";

export const GUIDE = "docs/deploy.md";

/** The code blocks of a language, in order; there is at least one. */
export function codeBlocks(language: string): readonly [string, ...string[]] {
  const pattern = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g");
  const [first, ...others] = [...readFileSync(GUIDE, "utf8").matchAll(pattern)].map(
    ([, code = ""]) => code,
  );
  if (first === undefined) throw new Error(`${GUIDE} has no ${language}`);
  return [first, ...others];
}
