/** Scripts in processes of their own, from the repository's root. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when this text has been printed. */
  printed(text: string): Promise<void>;
  readonly finished: Promise<Finished>;
}

/** Starts an ES module whose source is this text; it imports from `./src/…`. */
export function startScript(source: string): Child {
  const arguments_ = ["--input-type=module-typescript", "--no-warnings", "-e", source];
  // Stripping types anew in each process would take most of its time.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "coldspan-test-cache") };
  const child = spawn(process.execPath, arguments_, { cwd: ROOT, env });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const listener of listeners) listener();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return {
    process: child,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stdout.includes(text)) resolve();
        };
        listeners.add(look);
        child.once("close", () => reject(new Error(`The script ended. ${stdout}${stderr}`)));
        look();
      }),
    finished: once(child, "close").then(([code, signal]) => ({ code, signal, stdout, stderr })),
  };
}

/** Runs such a script to its end. */
export function runScript(source: string): Promise<Finished> {
  return startScript(source).finished;
}
