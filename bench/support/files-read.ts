/** Counts what a process reads from files until a moment, as the kernel sees it (strace). */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeBinary } from "../../src/dev/function-process.ts";

const MS_PER_S = 1e3;

/** Not files: what the kernel or a device makes up. */
const PSEUDO_FILE = /^\/(?:proc|sys|dev)\//;

/** `1234 1700000000.123456 openat(AT_FDCWD, "/a", O_RDONLY|O_CLOEXEC) = 17</a>`, path by `-y`. */
const OPENED = /^\d+\s+([\d.]+) openat\(.* = \d+<([^>]+)>$/;
/** `1234 1700000000.123456 read(17</a>, ""..., 8192) = 512`; also `pread64`. */
const READ = /^\d+\s+([\d.]+) p?read(?:64)?\(\d+<([^>]+)>.* = (\d+)$/;
/** Of the last line: the benchmark ends what it has started. */
const END = "+++ killed by SIGKILL +++";
const POLL_MS = 10;
/** A process that ended by itself leaves another line. */
const END_TIMEOUT_MS = 5_000;

/** A call during which another thread made one comes in two lines. */
const UNFINISHED = /^(\d+)\s.* <unfinished \.\.\.>$/;
const RESUMED = /^(\d+)\s.* resumed>(.*)$/;

export interface FilesRead {
  readonly files: number;
  readonly bytes: number;
}

export interface TracedNode {
  readonly node: NodeBinary;
  /** What was opened and read until this Unix time in ms; for a process that has ended. */
  until(timeMs: number): Promise<FilesRead>;
  remove(): void;
}

/** A Node.js that writes down its system calls; undefined where strace is not installed. */
export function traceNode(node: NodeBinary): TracedNode | undefined {
  if (!isStraceInstalled()) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "coldspan-strace-"));
  const log = join(directory, "log");
  const path = join(directory, "node");
  // -D: the process stays our child, strace follows it from aside.
  const strace = `strace -D -f -y -q -s 0 -ttt -e trace=openat,read,pread64 -o "${log}"`;
  writeFileSync(path, `#!/bin/sh\nexec ${strace} "${node.path}" "$@"\n`);
  chmodSync(path, 0o755);
  return {
    node: { path, major: node.major },
    async until(timeMs) {
      const endMs = performance.now() + END_TIMEOUT_MS;
      while (!readFileSync(log, "utf8").includes(END)) {
        if (performance.now() > endMs) throw new Error("the function ended before it was measured");
        await sleep(POLL_MS);
      }
      return count(joinCalls(readFileSync(log, "utf8")), timeMs / MS_PER_S);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function joinCalls(log: string): string[] {
  const begun = new Map<string, string>();
  return log.split("\n").flatMap((line) => {
    const [, thread] = UNFINISHED.exec(line) ?? [];
    if (thread !== undefined) {
      begun.set(thread, line.replace(" <unfinished ...>", ""));
      return [];
    }
    const [, resumedThread = "", rest = ""] = RESUMED.exec(line) ?? [];
    const begin = begun.get(resumedThread);
    return [begin === undefined ? line : `${begin}${rest}`];
  });
}

function count(lines: readonly string[], untilSeconds: number): FilesRead {
  const opened = new Set<string>();
  let bytes = 0;
  for (const line of lines) {
    const [, openedAt, openedPath] = OPENED.exec(line) ?? [];
    if (openedPath !== undefined && Number(openedAt) <= untilSeconds && isFile(openedPath, line)) {
      opened.add(openedPath);
    }
    const [, readAt, readPath, length] = READ.exec(line) ?? [];
    if (readPath !== undefined && Number(readAt) <= untilSeconds && isFile(readPath, line)) {
      bytes += Number(length);
    }
  }
  return { files: opened.size, bytes };
}

function isFile(path: string, line: string): boolean {
  return path.startsWith("/") && !PSEUDO_FILE.test(path) && !line.includes("O_DIRECTORY");
}

function isStraceInstalled(): boolean {
  try {
    execFileSync("strace", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
