/** Programs that run beside the tests: found by the global setup, started until they are ready, ended in time. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { inject } from "vitest";
import type { PeerName } from "../prerequisites.ts";

/** Starting up is the longest that any of them is silent. */
const SAY_TIMEOUT_MS = 10_000;
/** A program that ignores SIGTERM for so long is killed. */
const STOP_TIMEOUT_MS = 5000;

/** The path of a program; throws what is missing, so that a suite without its peer fails. */
export function requireProgram(name: PeerName): string {
  const prerequisite = inject("peers")[name];
  if ("path" in prerequisite) return prerequisite.path;
  throw new Error(`This suite needs a program that is not here: ${prerequisite.missing}`);
}

export class Program {
  /** What it wrote so far, line by line, both streams in one. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #watchers: Set<() => void> = new Set();

  constructor(path: string, args: readonly string[]) {
    this.#child = spawn(path, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#closed = once(this.#child, "close").catch(() => undefined);
    // A program that has ended reads nothing more; what it was told is then beside the point.
    this.#child.stdin?.on("error", () => undefined);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line);
        for (const watcher of this.#watchers) watcher();
      });
    }
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Resolves to what is found among its lines, as soon as it is; rejects with all of them otherwise. */
  waitFor<T>(find: (lines: readonly string[]) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        finish();
      };
      const watch = (): void => {
        const found = find(this.lines);
        if (found !== undefined) settle(() => resolve(found));
      };
      const fail = (reason: string): void => {
        settle(() => reject(new Error(`${reason}:\n${this.lines.join("\n")}`)));
      };
      const timer = setTimeout(() => fail("The program stayed silent"), SAY_TIMEOUT_MS);
      this.#watchers.add(watch);
      void this.#closed.then(() => fail("The program has ended"));
      watch();
    });
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves once it has ended by itself or by an earlier signal. */
  async ended(): Promise<void> {
    await this.#closed;
  }

  /** Ends it: asked with SIGTERM first. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#closed;
    clearTimeout(timer);
  }
}
