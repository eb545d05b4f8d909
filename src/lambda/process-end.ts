/** The last chance of spans: what happens when the process exits, crashes or is told to end. */
import { readdirSync } from "node:fs";

/** What is to be done with the spans; none of it throws or rejects. */
export interface ProcessEnd {
  /** Ends the open spans of running invocations as failed. Synchronous. */
  abortInvocations(errorType: string, message: string): void;
  /** Sends what is buffered, for at most this long. */
  flushLast(timeoutMs: number): Promise<void>;
  /** Keeps what is unsent for the next process. Synchronous. */
  spool(): void;
}

/**
 * Lambda grants 500 ms between SIGTERM and SIGKILL when only internal extensions are registered, and
 * guarantees 300 ms beside external ones. The rest is for the spool, which has to encode what waits with
 * perhaps a tenth of a CPU.
 */
const FLUSH_ALONE_MS = 300;
const FLUSH_BESIDE_EXTENSIONS_MS = 200;
const EXTERNAL_EXTENSIONS = "/opt/extensions";

/** What a shell shows for a process that SIGTERM ended. */
const SIGTERM_EXIT_CODE = 143;

/** Watches the end of this process. Crashes and exits stay what they are for everyone else. */
export function watchProcessEnd(end: ProcessEnd): void {
  let crash: Error | undefined;
  const noteCrash = (error: unknown): void => {
    crash = error instanceof Error ? error : new Error(String(error));
    // When this runs the process has survived: someone handles uncaught exceptions.
    setImmediate(() => {
      crash = undefined;
    }).unref();
  };
  process.on("uncaughtExceptionMonitor", noteCrash);
  // Runtime client 3 takes unhandled rejections to end the process by itself. Where nobody does, a
  // listener would keep Node from ending it.
  if (process.listenerCount("unhandledRejection") > 0) {
    process.prependListener("unhandledRejection", noteCrash);
  }
  // Also emitted after an uncaught exception or an unhandled rejection that nobody caught.
  process.on("exit", (code) => {
    if (crash === undefined)
      end.abortInvocations("process.exit", `The process exited with ${code}`);
    else end.abortInvocations(crash.name, crash.message);
    end.spool();
  });
  process.on("SIGTERM", onSigterm);

  let isEnding = false;
  function onSigterm(): void {
    if (isEnding) return;
    isEnding = true;
    void finishSpans(end).then(() => {
      // Whoever else listens decides when the process ends.
      if (process.listenerCount("SIGTERM") > 1) return;
      process.removeListener("SIGTERM", onSigterm);
      process.kill(process.pid, "SIGTERM");
      // The first process of a container ignores a signal that nobody handles.
      process.exit(SIGTERM_EXIT_CODE);
    });
  }
}

/** Lambda is ending the process: sends while there is time, then spools. */
export async function finishSpans(end: ProcessEnd): Promise<void> {
  end.abortInvocations("SIGTERM", "Lambda ended the process while the invocation ran");
  await end.flushLast(hasExternalExtensions() ? FLUSH_BESIDE_EXTENSIONS_MS : FLUSH_ALONE_MS);
  end.spool();
}

function hasExternalExtensions(): boolean {
  try {
    return readdirSync(EXTERNAL_EXTENSIONS).length > 0;
  } catch {
    return false;
  }
}
