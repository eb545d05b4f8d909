/** One execution environment as Lambda keeps it: init gate, queue, hand-out, deadline, freeze. */
import type { Answer, FunctionError } from "./answer.ts";
import type { Invocation } from "./invocation.ts";
import { nowMs } from "./json-http.ts";

/** How the init phase ended; times are Unix ms. */
export type InitOutcome =
  | { readonly kind: "ready"; readonly timeMs: number }
  | { readonly kind: "error"; readonly timeMs: number; readonly error: FunctionError }
  | { readonly kind: "exit"; readonly timeMs: number };

/** A runtime's open `next` request: called with what it is to work on. */
export type Poll = (invocation: Invocation) => void;

export interface EnvironmentOptions {
  /** Many invocations at once, never frozen, no deadline enforced. */
  readonly managedInstances: boolean;
  /** Tells the extensions of an invocation and names those it has to wait for. */
  readonly announce: (invocation: Invocation) => readonly string[];
  readonly extensionsReady: () => boolean;
  readonly onTimeout: () => void;
}

/** The name under which the runtime counts among those an invocation waits for. */
const RUNTIME = "runtime";

/** Node fires a longer timer at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Environment {
  readonly initialized: Promise<InitOutcome>;
  readonly #options: EnvironmentOptions;
  readonly #init = Promise.withResolvers<InitOutcome>();
  readonly #queue: Invocation[] = [];
  /** Handed out and not settled, by request id; at most one outside Managed Instances. */
  readonly #active = new Map<string, Invocation>();
  readonly #timers = new Map<Invocation, NodeJS.Timeout>();
  readonly #polls = new Set<Poll>();
  #state: "starting" | "ready" | "failed" | "exited" = "starting";
  #runtimeReady = false;
  #initAnswer: Answer | undefined;
  #exitReason = "";

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.initialized = this.#init.promise;
  }

  get initError(): FunctionError | undefined {
    return this.#initAnswer?.error;
  }

  /** Lines an invocation up; a failed or ended environment answers it at once. */
  enqueue(invocation: Invocation): void {
    if (this.#initAnswer !== undefined) this.#refuse(invocation, this.#initAnswer);
    else if (this.#state === "exited") this.#abort(invocation);
    else this.#queue.push(invocation);
    this.#handOut();
  }

  /** The runtime asks for work. False when it owes an answer: an invalid state transition. */
  runtimeNext(poll: Poll): boolean {
    if (!this.#options.managedInstances) {
      for (const invocation of this.#active.values()) {
        if (invocation.isOpen) return false;
        // RIC 4 asks for work while the trailers of a failed stream are still on their way.
        void invocation.answered.then(() => this.#comeBack(invocation, RUNTIME));
      }
    }
    this.#runtimeReady = true;
    this.#polls.add(poll);
    this.#passInitGate();
    this.#handOut();
    return true;
  }

  /** The runtime's connection broke while it waited. */
  dropPoll(poll: Poll): void {
    this.#polls.delete(poll);
  }

  /** The invocation that takes an answer under this id, if it has none yet. */
  claim(requestId: string): Invocation | undefined {
    const invocation = this.#active.get(requestId);
    return invocation?.claim() ? invocation : undefined;
  }

  /** Takes the runtime's answer. On Managed Instances nothing is frozen: it settles at once. */
  post(invocation: Invocation, answer: Answer): void {
    invocation.post(answer);
    if (this.#options.managedInstances) this.#settle(invocation, "idle");
  }

  /** An extension asked for its next event. */
  extensionIdle(id: string): void {
    this.#passInitGate();
    // A copy: settling one hands out the next, which this extension has not come back from.
    for (const invocation of [...this.#active.values()]) this.#comeBack(invocation, id);
    this.#handOut();
  }

  /** Init ended with an error, which answers every invocation from now on. */
  failInit(answer: Answer): void {
    const { error } = answer;
    if (this.#state !== "starting" || error === undefined) return;
    this.#state = "failed";
    this.#initAnswer = answer;
    this.#init.resolve({ kind: "error", timeMs: nowMs(), error });
    for (const invocation of this.#queue.splice(0)) this.#refuse(invocation, answer);
  }

  /** The process is gone: whatever is open is answered with Lambda's own error. */
  exited(reason: string): void {
    this.#state = "exited";
    this.#exitReason = reason;
    this.#polls.clear();
    this.#init.resolve({ kind: "exit", timeMs: nowMs() });
    for (const invocation of [...this.#active.values(), ...this.#queue.splice(0)]) {
      this.#abort(invocation);
    }
  }

  #passInitGate(): void {
    if (this.#state !== "starting" || !this.#runtimeReady) return;
    if (!this.#options.extensionsReady()) return;
    this.#state = "ready";
    this.#init.resolve({ kind: "ready", timeMs: nowMs() });
  }

  #handOut(): void {
    while (this.#state === "ready" && this.#hasRoom()) {
      const [poll] = this.#polls;
      const invocation = poll && this.#queue.shift();
      if (poll === undefined || invocation === undefined) return;
      this.#polls.delete(poll);
      this.#active.set(invocation.requestId, invocation);
      invocation.start();
      if (!this.#options.managedInstances) {
        invocation.waitFor([RUNTIME, ...this.#options.announce(invocation)]);
        this.#armDeadline(invocation);
      }
      poll(invocation);
    }
  }

  #hasRoom(): boolean {
    return this.#options.managedInstances || this.#active.size === 0;
  }

  #armDeadline(invocation: Invocation): void {
    const end = (): void => {
      invocation.timeOut();
      this.#options.onTimeout();
    };
    const delayMs = Math.min(invocation.deadlineMs - Date.now(), MAX_TIMER_MS);
    this.#timers.set(invocation, setTimeout(end, delayMs));
  }

  #comeBack(invocation: Invocation, party: string): void {
    if (invocation.comeBack(party)) this.#settle(invocation, "idle");
  }

  #refuse(invocation: Invocation, answer: Answer): void {
    invocation.post(answer);
    invocation.settle("ended");
  }

  #abort(invocation: Invocation): void {
    // An answer on its way comes to its end: what a dead process sent is complete or broken off.
    if (invocation.isOpen) invocation.fail("exit", "Runtime.ExitError", this.#exitReason);
    void invocation.answered.then(() => this.#settle(invocation, "ended"));
  }

  #settle(invocation: Invocation, kind: "idle" | "ended"): void {
    clearTimeout(this.#timers.get(invocation));
    this.#timers.delete(invocation);
    this.#active.delete(invocation.requestId);
    invocation.settle(kind);
    this.#handOut();
  }
}
