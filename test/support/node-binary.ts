/** Node binaries of other majors than the pinned one, from npm, kept in `.cache`. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const CACHE = ".cache";
const VERSION_22 = "22.23.3";

/** The flags of the bootstrap in AWS's Node 22 image. */
export const NODE_22_FLAGS: readonly string[] = [
  "--no-experimental-require-module",
  "--no-experimental-detect-module",
];

/** Path of a Node 22 binary, installed on first use. */
export function node22(): string {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(CACHE, `${name}-${VERSION_22}`);
  const binary = join(folder, "node_modules", name, "bin", "node");
  if (!existsSync(binary)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"];
    const args = ["install", "--prefix", folder, ...flags, `${name}@${VERSION_22}`];
    execFileSync("npm", args, { stdio: "pipe" });
  }
  return binary;
}
