/** One invocation, from the caller's request to the moment Lambda would freeze the environment. */
import { randomBytes, randomUUID } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http";
import { type Answer, type Chunk, platformError } from "./answer.ts";
import { nowMs, utf8Header } from "./json-http.ts";

/** Lambda's own settings of one invocation; each has the default a plain synchronous call has. */
export interface InvokeOptions {
  /** Ms from hand-out to deadline. Default: the function's timeout. */
  readonly timeoutMs?: number;
  /** Unix ms of the deadline; wins over `timeoutMs`. */
  readonly deadlineMs?: number;
  /** The X-Ray header. Default: a fresh root that is not sampled; `""` sends none. */
  readonly traceId?: string;
  /** Default: a random UUID. */
  readonly requestId?: string;
  /** Sent as JSON. */
  readonly clientContext?: unknown;
  readonly cognitoIdentity?: {
    readonly cognitoIdentityId: string;
    readonly cognitoIdentityPoolId: string;
  };
  readonly tenantId?: string;
  /** As invoked, perhaps with an alias. Default: the function's unqualified ARN. */
  readonly functionArn?: string;
}

/**
 * `response` and `error` were posted by the runtime (a stream that broke off is an error); the rest
 * is Lambda's own answer: `exit` when the process ended first, `timeout` at the deadline.
 */
export type InvocationOutcome = "response" | "error" | "exit" | "timeout";

/** When and why nothing of the invocation runs any more. */
export interface Settlement {
  /** `idle`: Lambda would freeze now. `ended`: the process is gone. */
  readonly kind: "idle" | "ended";
  /** Unix time in ms. */
  readonly timeMs: number;
}

export interface InvocationResult extends Answer {
  readonly requestId: string;
  readonly outcome: InvocationOutcome;
  /** Unix ms at which the runtime got the event; undefined when it never did. */
  readonly handedOutMs: number | undefined;
  /** Unix ms at which the answer was complete. */
  readonly postedMs: number;
  /** Resolves when runtime and INVOKE extensions have all called `next`, or the process ended. */
  readonly settled: Promise<Settlement>;
}

export class Invocation {
  readonly requestId: string;
  readonly payload: Buffer;
  readonly answered: Promise<InvocationResult>;
  readonly settled: Promise<Settlement>;
  readonly functionArn: string;
  readonly traceId: string;
  readonly #options: InvokeOptions;
  readonly #timeoutMs: number;
  readonly #answer = Promise.withResolvers<InvocationResult>();
  readonly #settlement = Promise.withResolvers<Settlement>();
  readonly #busy = new Set<string>();
  #handedOutMs: number | undefined;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #isOpen = true;

  /** `event` is sent as JSON, nothing as `{}`; bytes are sent as they are. */
  constructor(event: unknown, functionArn: string, timeoutMs: number, options: InvokeOptions) {
    this.requestId = options.requestId ?? randomUUID();
    this.payload = event instanceof Uint8Array ? Buffer.from(event) : toJson(event);
    this.functionArn = options.functionArn ?? functionArn;
    this.traceId = options.traceId ?? randomTraceId();
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? timeoutMs;
    this.answered = this.#answer.promise;
    this.settled = this.#settlement.promise;
  }

  /** True until somebody begins to answer. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Unix ms; `Infinity` before hand-out. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Starts the clock: the runtime gets the event now. */
  start(): void {
    this.#handedOutMs = nowMs();
    this.#deadlineMs = this.#options.deadlineMs ?? Math.round(this.#handedOutMs + this.#timeoutMs);
  }

  /** Names who must come back before the invocation is settled. */
  waitFor(parties: readonly string[]): void {
    for (const party of parties) this.#busy.add(party);
  }

  /** Headers of the `next` answer (Runtime API 2018-06-01). */
  headers(): OutgoingHttpHeaders {
    const { clientContext, cognitoIdentity, tenantId } = this.#options;
    const optional = (name: string, text: string | undefined): OutgoingHttpHeaders =>
      text ? { [name]: utf8Header(text) } : {};
    return {
      "lambda-runtime-aws-request-id": this.requestId,
      "lambda-runtime-deadline-ms": String(this.#deadlineMs),
      "lambda-runtime-invoked-function-arn": this.functionArn,
      ...optional("lambda-runtime-trace-id", this.traceId),
      ...optional("lambda-runtime-client-context", JSON.stringify(clientContext)),
      ...optional("lambda-runtime-cognito-identity", JSON.stringify(cognitoIdentity)),
      ...optional("lambda-runtime-aws-tenant-id", tenantId),
    };
  }

  /** Takes the only answer there may be; false when one is there or on its way. */
  claim(): boolean {
    const { isOpen } = this;
    this.#isOpen = false;
    return isOpen;
  }

  /** Answers with what the runtime posted; a stream that broke off is an error of its own. */
  post(answer: Answer): void {
    if (answer.complete) this.#resolve(answer, answer.error ? "error" : "response");
    else this.fail("error", "Runtime.TruncatedResponse", "The response broke off", answer.chunks);
  }

  timeOut(): void {
    const seconds = (this.#deadlineMs - (this.#handedOutMs ?? this.#deadlineMs)) / 1000;
    this.fail("timeout", "Sandbox.Timedout", `Task timed out after ${seconds.toFixed(2)} seconds`);
  }

  /** Answers in Lambda's own words; without effect when there is an answer. */
  fail(
    outcome: Exclude<InvocationOutcome, "response">,
    type: string,
    message: string,
    chunks: readonly Chunk[] = [],
  ): void {
    const text = `RequestId: ${this.requestId} Error: ${message}`;
    this.#resolve({ ...platformError(type, text), chunks }, outcome);
  }

  /** A party called `next`. True when nobody is left to wait for. */
  comeBack(party: string): boolean {
    this.#busy.delete(party);
    return this.#busy.size === 0;
  }

  settle(kind: Settlement["kind"]): void {
    this.#settlement.resolve({ kind, timeMs: nowMs() });
  }

  #resolve(answer: Answer, outcome: InvocationOutcome): void {
    this.#isOpen = false;
    this.#answer.resolve({
      ...answer,
      requestId: this.requestId,
      outcome,
      handedOutMs: this.#handedOutMs,
      postedMs: nowMs(),
      settled: this.settled,
    });
  }
}

function toJson(event: unknown): Buffer {
  return Buffer.from(JSON.stringify(event === undefined ? {} : event));
}

/** What Lambda sends when the caller is not traced: a root of its own, not sampled. */
function randomTraceId(): string {
  const epoch = Math.floor(Date.now() / 1000).toString(16);
  const hex = (bytes: number): string => randomBytes(bytes).toString("hex");
  return `Root=1-${epoch}-${hex(12)};Parent=${hex(8)};Sampled=0;Lineage=1:${hex(4)}:0`;
}
