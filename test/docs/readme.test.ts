import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEADLINE } from "../../bench/support/setups.ts";
import { costsTable, readSection, variablesTable } from "../../scripts/readme.ts";
import { LAMBDA_VARIABLES, VARIABLES } from "../../src/variables.ts";

const README = readFileSync("README.md", "utf8");
/** Inside the repository, so that examples resolve packages as its own code does. */
const EXAMPLES = ".cache/doc-examples";
const CODE_BLOCK = /```ts\n([\s\S]*?)```/g;

interface Example {
  readonly from: string;
  readonly code: string;
}

function codeBlocks(from: string, text: string): Example[] {
  return [...text.matchAll(CODE_BLOCK)].map(([, code = ""]) => ({ from, code }));
}

/** The `@example`s of docstrings, without the comment's stars. */
function docstringExamples(): Example[] {
  return sourceFiles().flatMap((file) =>
    codeBlocks(file, readFileSync(file, "utf8").replaceAll(/^ *\* ?/gm, "")),
  );
}

function sourceFiles(): string[] {
  return readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join("src", name));
}

function pageExamples(): Example[] {
  return readdirSync("docs").flatMap((page) =>
    codeBlocks(page, readFileSync(join("docs", page), "utf8")),
  );
}

describe("the examples of README, pages and docstrings", () => {
  const examples = [...codeBlocks("README.md", README), ...pageExamples(), ...docstringExamples()];

  beforeAll(() => {
    rmSync(EXAMPLES, { recursive: true, force: true });
    mkdirSync(EXAMPLES, { recursive: true });
    for (const [index, { code }] of examples.entries()) {
      writeFileSync(join(EXAMPLES, `example-${index}.ts`), `${code}\nexport {};\n`);
    }
    writeFileSync(
      join(EXAMPLES, "tsconfig.json"),
      JSON.stringify({
        extends: "../../test/tsconfig.json",
        compilerOptions: { paths: { coldspan: ["../../src/index.ts"] } },
        include: ["."],
      }),
    );
  });

  afterAll(() => rmSync(EXAMPLES, { recursive: true, force: true }));

  it("are there, and compile", () => {
    expect(examples.filter(({ from }) => from === "README.md").length).toBeGreaterThanOrEqual(3);
    expect(examples.filter(({ from }) => from !== "README.md").length).toBeGreaterThanOrEqual(5);
    const tsc = spawnSync("tsc", ["--noEmit", "-p", EXAMPLES], { encoding: "utf8" });
    expect(tsc.stdout).toBe("");
    expect(tsc.status).toBe(0);
  });
});

describe("the README's table of variables", () => {
  it("is the one that the code has; `npm run readme` writes it", () => {
    expect(readSection(README, "variables")).toBe(variablesTable());
  });

  it("leaves out no variable that the sources name", () => {
    const documented = new Set([...VARIABLES.map(({ name }) => name), ...LAMBDA_VARIABLES]);
    const named = sourceFiles()
      .filter((file) => !file.startsWith("src/dev"))
      .flatMap((file) => [
        ...readFileSync(file, "utf8").matchAll(/"((?:OTEL|COLDSPAN|CX)_[A-Z0-9_]*[A-Z0-9])"/g),
      ])
      .map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(20);
    expect([...new Set(named)].filter((name) => !documented.has(name))).toEqual([]);
  });
});

describe("the README's table of costs", () => {
  it("is made of the committed results; `npm run readme` writes it", () => {
    const costs = readSection(README, "costs");
    expect(costs).toBe(costsTable());
    expect(costs).toContain("Ratios, one machine");
  });

  it("has every peer, with its cold starts, memory and files", () => {
    const [, , ...rows] = readSection(README, "costs")
      .split("\n")
      .filter((line) => line.startsWith("|"));
    expect(rows.length).toBe(HEADLINE.length);
    const cells = rows.flatMap((row) => row.split("|").slice(2, 6));
    expect(cells.filter((cell) => !/\d/.test(cell))).toEqual([]);
  });
});
