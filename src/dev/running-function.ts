/** The process of a running function: output, freeze, shutdown. */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { InvocationResult, InvokeOptions } from "./invocation.ts";
import type { RuntimeApi, ShutdownReason } from "./runtime-api.ts";

/** What the runtime has between SIGTERM and SIGKILL, in ms (Lambda's table of shutdown phases). */
const INTERNAL_EXTENSION_GRACE_MS = 500;
const EXTERNAL_EXTENSION_GRACE_MS = 300;
const MANAGED_INSTANCES_GRACE_MS = 600;

/** What external extensions have for their own shutdown, in ms, the runtime's share included. */
const SHUTDOWN_MS = 2_000;

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface FunctionProcess {
  readonly pid: number;
  /** Unix ms just before the process was started. */
  readonly spawnedMs: number;
  readonly api: RuntimeApi;
  /** All output so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when the process is gone and its output complete. */
  readonly exited: Promise<ExitStatus>;
  /** As {@link RuntimeApi.invoke}; thaws a frozen process first. */
  invoke(event?: unknown, options?: InvokeOptions): Promise<InvocationResult>;
  freeze(): void;
  thaw(): void;
  /** Freezes for `durationMs`, then thaws. */
  freezeFor(durationMs: number): Promise<void>;
  /** Highest resident memory so far, in bytes; undefined where `/proc` tells nothing. */
  peakMemoryBytes(): number | undefined;
  /**
   * Ends the process as Lambda does: SIGKILL at once when no extension registered, else SIGTERM,
   * 300 to 600 ms by kind of extension, SIGKILL; external extensions then get SHUTDOWN.
   */
  terminate(reason?: ShutdownReason): Promise<ExitStatus>;
  /** SIGKILL. */
  kill(): Promise<ExitStatus>;
  /** Kills the process if it still runs and closes its Runtime API. */
  close(): Promise<void>;
}

export interface RunningOptions {
  readonly spawnedMs: number;
  readonly managedInstances: boolean;
  readonly freezeWhenIdle: boolean;
}

export class RunningFunction implements FunctionProcess {
  readonly pid: number;
  readonly spawnedMs: number;
  readonly api: RuntimeApi;
  readonly exited: Promise<ExitStatus>;
  readonly #child: ChildProcess;
  readonly #options: RunningOptions;
  #stdout = "";
  #stderr = "";
  /** Invocations that are not settled: while there is one, nothing is frozen. */
  #open = 0;

  constructor(child: ChildProcess, api: RuntimeApi, options: RunningOptions) {
    this.pid = child.pid ?? 0;
    this.spawnedMs = options.spawnedMs;
    this.api = api;
    this.#child = child;
    this.#options = options;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    child.once("exit", (code, signal) => api.processExited(describeExit({ code, signal })));
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  async invoke(event?: unknown, options?: InvokeOptions): Promise<InvocationResult> {
    this.thaw();
    this.#open += 1;
    const result = await this.api.invoke(event, options);
    void result.settled.then(({ kind }) => {
      this.#open -= 1;
      if (this.#options.freezeWhenIdle && kind === "idle" && this.#open === 0) this.freeze();
    });
    return result;
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  async freezeFor(durationMs: number): Promise<void> {
    this.freeze();
    await sleep(durationMs);
    this.thaw();
  }

  peakMemoryBytes(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
      const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
    } catch {
      return undefined;
    }
  }

  async terminate(reason: ShutdownReason = "SPINDOWN"): Promise<ExitStatus> {
    const { extensions } = this.api;
    if (extensions.length === 0) return this.kill();
    const external = extensions.some((extension) => extension.external);
    const shutdownDeadlineMs = Date.now() + SHUTDOWN_MS;
    const killTimer = setTimeout(() => void this.kill(), this.#graceMs(external));
    this.thaw();
    this.#child.kill("SIGTERM");
    const status = await this.exited;
    clearTimeout(killTimer);
    this.api.sendShutdown(reason, shutdownDeadlineMs);
    return status;
  }

  kill(): Promise<ExitStatus> {
    this.#child.kill("SIGKILL");
    return this.exited;
  }

  async close(): Promise<void> {
    await this.kill();
    await this.api.close();
  }

  #graceMs(external: boolean): number {
    if (this.#options.managedInstances) return MANAGED_INSTANCES_GRACE_MS;
    return external ? EXTERNAL_EXTENSION_GRACE_MS : INTERNAL_EXTENSION_GRACE_MS;
  }
}

function describeExit({ code, signal }: ExitStatus): string {
  if (signal !== null) return `Runtime exited with error: signal: ${signal}`;
  if (code === 0) return "Runtime exited without providing a reason";
  return `Runtime exited with error: exit status ${code}`;
}
