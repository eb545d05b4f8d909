/** A traced function in the real runtime, with a receiver of its own and a book of what it should send. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, inject, type TestContext } from "vitest";
import type { FunctionOptions } from "../../../src/dev/function-process.ts";
import type { InvocationResult, InvokeOptions } from "../../../src/dev/invocation.ts";
import {
  type OtlpReceiver,
  type OtlpReceiverOptions,
  startOtlpReceiver,
} from "../../../src/dev/otlp-receiver.ts";
import type { FunctionProcess } from "../../../src/dev/running-function.ts";
import type { DestinationStats } from "../../../src/sdk/telemetry-stats.ts";
import type { Act, FaultAnswer, FaultEvent } from "../../fixtures/functions/faults.ts";
import { deploy, type Runtime } from "../../support/deployed.ts";
import type { FaultRow } from "./fault-row.ts";
import {
  accountSpans,
  countExpected,
  type MadeInvocation,
  type Received,
  type SpanAccount,
} from "./span-account.ts";

export const NEWEST: Runtime = { node: 24, ric: 4 };

/** The default of `COLDSPAN_FLUSH_TIMEOUT_MS`. */
export const FLUSH_TIMEOUT_MS = 4_000;

/** The flush bound of rows in which flushes fail: each is waited for, and there are many. */
export const SHORT_FLUSH_MS = 1_500;

/** How long a burst's last spans may wait, and some time on the way. */
const PUT_OFF_MS = 1_500;

/**
 * Beyond the flush bound: a cold start's own work in its first invocation, and a timer that fires late
 * on two cores that run six functions at once.
 */
export const SLACK_MS = 1_000;

/** Between two tries to get the rest out of a function whose collector is back. */
const RECOVERY_STEP_MS = 250;

export interface FaultOptions {
  readonly runtime?: Runtime;
  readonly receiver?: OtlpReceiverOptions;
  /** Done to the receiver before the function starts. */
  readonly before?: (receiver: OtlpReceiver) => void | Promise<void>;
  /** Given the receiver, because endpoints are known only then. */
  readonly env?: (receiver: OtlpReceiver) => Readonly<Record<string, string>>;
  readonly handler?: string;
  readonly flushTimeoutMs?: number;
  readonly function?: Partial<FunctionOptions>;
}

export interface FaultInvocation extends InvokeOptions {
  readonly spans?: number;
  readonly act?: Act;
}

interface Waiting {
  readonly receiver?: Received;
  /** Spans that are known not to come. */
  readonly lost?: number;
}

export interface NumberedResult extends InvocationResult {
  readonly n: number;
}

export class FaultFunction {
  readonly row: FaultRow;
  readonly receiver: OtlpReceiver;
  #waitsMs: number[] = [];
  readonly #options: FaultOptions;
  readonly #env: Readonly<Record<string, string>>;
  readonly #invocations: MadeInvocation[] = [];
  #process: FunctionProcess;
  #coldStarts = 0;
  #hasStarted = false;
  #next = 0;

  private constructor(
    row: FaultRow,
    receiver: OtlpReceiver,
    options: FaultOptions,
    env: Readonly<Record<string, string>>,
    running: FunctionProcess,
  ) {
    this.row = row;
    this.receiver = receiver;
    this.#options = options;
    this.#env = env;
    this.#process = running;
  }

  /** Starts the function for a row; all of it is gone when the test is over. */
  static async start(
    { onTestFinished }: TestContext,
    row: FaultRow,
    options: FaultOptions = {},
  ): Promise<FaultFunction> {
    const receiver = await startOtlpReceiver(options.receiver);
    onTestFinished(() => receiver.close());
    await options.before?.(receiver);
    const spool = await mkdtemp(join(tmpdir(), "coldspan-spool-"));
    onTestFinished(() => rm(spool, { recursive: true, force: true }));
    const env = {
      OTEL_EXPORTER_OTLP_PROTOCOL: row.protocol,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT:
        row.protocol === "grpc" ? receiver.grpcUrl : receiver.httpUrl,
      COLDSPAN_FLUSH: row.mode,
      COLDSPAN_FLUSH_TIMEOUT_MS: String(options.flushTimeoutMs ?? FLUSH_TIMEOUT_MS),
      COLDSPAN_SPOOL_DIRECTORY: spool,
      ...options.env?.(receiver),
    };
    const running = await startProcess(options, env);
    const started = new FaultFunction(row, receiver, options, env, running);
    onTestFinished(() => started.#process.close());
    return started;
  }

  get process(): FunctionProcess {
    return this.#process;
  }

  /** From event to answer, ms: every invocation since the last {@link forgetWaits}. */
  get waitsMs(): readonly number[] {
    return this.#waitsMs;
  }

  /** Leaves out what came before the fault, above all the cold start. */
  forgetWaits(): void {
    this.#waitsMs = [];
  }

  /** Invokes the function and books the spans that it ends. */
  async invoke({
    spans = 3,
    act = "return",
    ...options
  }: FaultInvocation = {}): Promise<NumberedResult> {
    const n = this.#next++;
    const event: FaultEvent = { n, spans, act };
    const result = await this.#invoke(event, options);
    this.#invocations.push({ requestId: result.requestId, n, spans });
    return { ...result, n };
  }

  /** Invokes with an event that is not booked. */
  async invokeWith(event: unknown, options?: InvokeOptions): Promise<InvocationResult> {
    return this.#invoke(event, options);
  }

  /** Replaces the process by a new one in the same environment, as Lambda does after a crash. */
  async restart(): Promise<void> {
    this.#rememberPeak();
    await this.#process.close();
    this.#process = await startProcess(this.#options, this.#env);
    this.#hasStarted = false;
  }

  /** What the function knows of each destination. */
  async allStats(): Promise<readonly DestinationStats[]> {
    const { body, settled } = await this.invoke({ spans: 0, act: "stats" });
    await settled;
    const { stats } = JSON.parse(body.toString()) as FaultAnswer;
    return stats?.destinations ?? [];
  }

  /** What it knows of the first one. */
  async stats(): Promise<DestinationStats> {
    const [first] = await this.allStats();
    if (first === undefined) throw new Error("The function has no destination");
    return first;
  }

  /** What should have come, and what has come to this receiver. */
  account(receiver: Received = this.receiver): SpanAccount {
    return accountSpans(receiver, this.#invocations, this.#coldStarts);
  }

  /**
   * Invokes now and then, as callers of a healthy function would, until no more than `lost` spans are
   * missing; the last invocation asks for the counts of all others.
   */
  async untilArrived(timeoutMs: number, lost = 0): Promise<DestinationStats> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const wasComplete = !this.#isMissing(lost);
      const stats = await this.stats();
      // After-return mode sends the spans of the last of many invocations up to a second later.
      const isComplete = await this.whileMissing(PUT_OFF_MS, { lost });
      if ((wasComplete && isComplete) || performance.now() > endMs) return stats;
      await sleep(RECOVERY_STEP_MS);
    }
  }

  /** Invokes now and then until the function holds no span of earlier invocations. */
  async untilDrained(timeoutMs: number): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    while ((await this.stats()).buffered > 0 && performance.now() < endMs) {
      await sleep(RECOVERY_STEP_MS);
    }
  }

  /** Waits without invoking until no more than `lost` spans are missing; false when time is up before. */
  async whileMissing(
    timeoutMs: number,
    { receiver = this.receiver, lost = 0 }: Waiting = {},
  ): Promise<boolean> {
    const endMs = performance.now() + timeoutMs;
    while (this.#isMissing(lost, receiver)) {
      if (performance.now() > endMs) return false;
      await sleep(20);
    }
    return true;
  }

  /** Fills the row with what is known now. */
  fill(stats?: DestinationStats, receiver: Received = this.receiver): SpanAccount {
    const account = this.account(receiver);
    this.#rememberPeak();
    Object.assign(this.row, {
      expected: account.expected,
      arrived: account.arrived,
      doubled: account.doubled.length,
      resent: stats?.resentAfterLostAnswer ?? account.repeated.length,
      dropped: stats === undefined ? undefined : droppedOf(stats),
      longestWaitMs: Math.max(0, ...this.#waitsMs),
    });
    return account;
  }

  /** Cheap while far too few have come: an account of 200,000 spans would hold up the receiver. */
  #isMissing(lost: number, receiver: Received = this.receiver): boolean {
    const expected = countExpected(this.#invocations, this.#coldStarts);
    if (receiver.spans().length < expected - lost) return true;
    return this.account(receiver).missing.length > lost;
  }

  #rememberPeak(): void {
    const peak = this.#process.peakMemoryBytes();
    if (peak === undefined) return;
    this.row.peakMemoryBytes = Math.max(this.row.peakMemoryBytes ?? 0, peak);
  }

  async #invoke(event: unknown, options?: InvokeOptions): Promise<InvocationResult> {
    const isManaged = this.#options.function?.maxConcurrency !== undefined;
    if (!this.#hasStarted && !isManaged) this.#coldStarts++;
    this.#hasStarted = true;
    const result = await this.#process.invoke(event, options);
    if (result.handedOutMs !== undefined) this.#waitsMs.push(result.postedMs - result.handedOutMs);
    return result;
  }
}

function startProcess(
  options: FaultOptions,
  env: Readonly<Record<string, string>>,
): Promise<FunctionProcess> {
  const taskRoot = { path: inject("taskRoot"), remove: () => Promise.resolve() };
  const { runtime = NEWEST, handler = "app.traced" } = options;
  return deploy(runtime, taskRoot, { handler, env, ...options.function });
}

/** The same function without tracing: what its answers and waits are measured against. */
export async function startBare(
  { onTestFinished }: TestContext,
  options: Pick<FaultOptions, "runtime" | "handler" | "function"> = {},
): Promise<FunctionProcess> {
  const env = { OTEL_SDK_DISABLED: "true" };
  const running = await startProcess({ handler: "app.bare", ...options }, env);
  onTestFinished(() => running.close());
  return running;
}

export function droppedOf({ dropped }: DestinationStats): number {
  return dropped.overflow + dropped.permanent + dropped.tooLarge;
}

/** The handler's own answer, whatever became of the spans. */
export function expectAnswer({ outcome, body, n }: NumberedResult): void {
  expect(outcome).toBe("response");
  expect(JSON.parse(body.toString())).toEqual({ n });
}
