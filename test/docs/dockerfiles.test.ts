import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const PAGES = ["README.md", "docs/deploy.md", "docs/x-ray.md"];

test.each(PAGES)("%s copies node_modules as a folder", (page) => {
  const copies = readFileSync(page, "utf8")
    .split("\n")
    .filter((line) => /^COPY (?!--from).*node_modules/.test(line));
  // COPY puts the contents of a folder into its target, not the folder.
  for (const line of copies) expect(line).toMatch(/^COPY \S+ \S*node_modules\/?$/);
});
