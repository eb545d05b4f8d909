/** Licence texts of the packages that went into bundles, each text once. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";

const PACKAGE_FOLDER = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENCE_FILES = ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "license", "NOTICE"];

/** The text of a NOTICES file; throws for a package that says nothing of its licence. */
export function noticesOf(metafiles: readonly (Metafile | undefined)[]): string {
  const folders = new Set<string>();
  for (const metafile of metafiles) {
    for (const input of Object.keys(metafile?.inputs ?? {})) {
      const folder = PACKAGE_FOLDER.exec(input)?.[1];
      if (folder !== undefined) folders.add(folder);
    }
  }
  const titlesOfText = new Map<string, Set<string>>();
  for (const folder of [...folders].sort()) {
    const { title, text } = readLicence(folder);
    titlesOfText.set(text, (titlesOfText.get(text) ?? new Set()).add(title));
  }
  const sections = [...titlesOfText].map(
    ([text, titles]) => `${[...titles].join("\n")}\n\n${text}`,
  );
  return `These files contain the packages below.\n\n${sections.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

function readLicence(folder: string): { title: string; text: string } {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  ) as { name: string; version: string; license?: string };
  if (license === undefined) throw new Error(`${name} names no licence`);
  const texts = LICENCE_FILES.map((file) => join(folder, file))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, "utf8").trim());
  return { title: `${name} ${version} (${license})`, text: texts.join("\n\n") || license };
}
