/** Where and with what something was measured: figures mean nothing without it. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import type { Addon } from "../../runtimes/runtimes.ts";
import { chooseAddon, type NodeMajor, openPlatform } from "./platforms.ts";

const ROOT = new URL("../../", import.meta.url);
const PEERS = new URL("../peers/", import.meta.url);
const BYTES_PER_GIB = 2 ** 30;

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  /** Processes that wanted to run, in the last minute before the start. */
  readonly load: number;
  /** By major version. */
  readonly node: Readonly<Record<string, string>>;
  /** How the runtime client reaches the Runtime API. */
  readonly addon: Addon;
  /** What the peers are made of. */
  readonly packages: Readonly<Record<string, string>>;
  /** Of this repository; `+` when files were changed since. */
  readonly commit: string;
}

export async function describeMachine(majors: readonly NodeMajor[]): Promise<Machine> {
  const node: Record<string, string> = {};
  for (const major of majors) {
    const { path } = (await openPlatform(major)).node;
    node[major] = execFileSync(path, ["--version"], { encoding: "utf8" }).trim().slice(1);
  }
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / BYTES_PER_GIB),
    system: `${process.platform} ${release()} ${process.arch}`,
    load: loadavg()[0] ?? 0,
    node,
    addon: await chooseAddon(majors[0] ?? 24),
    packages: peerVersions(),
    commit: readCommit(),
  };
}

function peerVersions(): Record<string, string> {
  const versions = readdirSync(PEERS).flatMap((folder) => {
    const file = new URL(`${folder}/package.json`, PEERS);
    const { dependencies } = JSON.parse(readFileSync(file, "utf8")) as {
      dependencies: Record<string, string>;
    };
    return Object.entries(dependencies);
  });
  return Object.fromEntries(versions.toSorted(([a], [b]) => a.localeCompare(b)));
}

function readCommit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
  try {
    const isChanged = git("status", "--porcelain", "src", "scripts") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${isChanged ? "+" : ""}`;
  } catch {
    return "unknown";
  }
}
