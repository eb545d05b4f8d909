import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseToObject } from "hcl2-parser";
import { describe, expect, test } from "vitest";

const GUIDE = "docs/deploy.md";
const guide = readFileSync(GUIDE, "utf8");

function codeBlock(language: string): string {
  const code = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1];
  if (code === undefined) throw new Error(`${GUIDE} has no ${language}`);
  return code;
}

describe("the deployment guide", () => {
  test("has Terraform that parses, of a function that is an image", () => {
    const [parsed] = parseToObject(codeBlock("hcl"));
    const [lambda] = parsed.resource.aws_lambda_function.orders;
    expect(lambda).toMatchObject({ package_type: "Image", architectures: ["x86_64"] });
  });

  test("links to files that are there", () => {
    const links = [...guide.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link = ""]) => link);
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(existsSync(join(dirname(GUIDE), link)), link).toBe(true);
  });
});

test("the bake file parses, and names only stages that the Dockerfile has", () => {
  const [parsed] = parseToObject(readFileSync("docker/docker-bake.hcl", "utf8"));
  const dockerfile = readFileSync("docker/Dockerfile", "utf8");
  for (const name of ["nodejs", "files"]) {
    expect(parsed.target[name]).toMatchObject([{ target: name }]);
    expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${name}$`, "m"));
  }
});
