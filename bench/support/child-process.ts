/** Processes that are asked one thing at a time. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Starts a module beside this file; it ends when it is disconnected. */
export function forkModule(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: "inherit" });
}

/** Sends a message and waits for the answer to it. */
export function ask<T>(child: ChildProcess, message: object): Promise<T> {
  child.send(message);
  return nextMessage(child);
}

/** The child's next message; rejects when it ends instead. */
export async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const [message] = (await Promise.race([
      once(child, "message", { signal }),
      once(child, "exit", { signal }).then(([code]) => {
        throw new Error(`${child.spawnargs.at(-1)} ended with code ${code}`);
      }),
    ])) as [T];
    return message;
  } finally {
    settled.abort();
  }
}

export async function disconnect(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.disconnect();
  await exited;
}
