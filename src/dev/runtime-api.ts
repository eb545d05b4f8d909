/**
 * A local Lambda: the Runtime API 2018-06-01 and the Extensions API 2020-01-01 over HTTP, with the
 * platform's rules for init, hand-out, deadline and freeze.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, type FunctionError, platformError, readAnswer } from "./answer.ts";
import { Environment, type InitOutcome, type Poll } from "./environment.ts";
import { type Extension, ExtensionsApi } from "./extensions-api.ts";
import { Invocation, type InvocationResult, type InvokeOptions } from "./invocation.ts";
import { sendAccepted, sendBytes, sendError } from "./json-http.ts";

/** Error causes travel as headers and hold whole stack traces; Node's default is 16 KiB. */
const MAX_HEADER_BYTES = 1_048_576;

/** Long enough for a cold start under load; Lambda's own default is 3,000. */
const DEFAULT_TIMEOUT_MS = 30_000;

const DEFAULT_ARN_PREFIX = "arn:aws:lambda:us-east-1:123456789012:function:";

export interface RuntimeApiOptions {
  /** Default `my-function`. */
  readonly functionName?: string;
  /** Default `$LATEST`. */
  readonly functionVersion?: string;
  /** Default `index.handler`; told to extensions only. */
  readonly handler?: string;
  /** Default: made of the name, in `us-east-1`. */
  readonly functionArn?: string;
  /** Ms from hand-out to the deadline, at which Lambda ends the process. Default 30,000. */
  readonly timeoutMs?: number;
  /** Names of external extensions; any other name that registers is an internal one. */
  readonly externalExtensions?: readonly string[];
  /** Lambda Managed Instances: many invocations at once, never frozen, no deadline enforced. */
  readonly managedInstances?: boolean;
  /** Answers every registration with this HTTP status, or leaves it without an answer. */
  readonly refuseRegistration?: number | "never-answer";
  /** Called when an invocation outlived its deadline: whoever owns the process ends it. */
  readonly onTimeout?: () => void;
}

export type ShutdownReason = "SPINDOWN" | "TIMEOUT" | "FAILURE";

export interface RuntimeApi {
  /** `host:port`, the value of `AWS_LAMBDA_RUNTIME_API`. */
  readonly address: string;
  /** Resolves when the runtime and each registered extension have called `next`, or init failed. */
  readonly initialized: Promise<InitOutcome>;
  /** Why init failed, when the runtime or an extension said so. */
  readonly initError: FunctionError | undefined;
  readonly extensions: readonly Extension[];
  /**
   * Invokes the function with `event` as JSON; a `Uint8Array` is sent as it is. Waits for its turn
   * and resolves with the answer, be it a response, an error, an exit or a timeout.
   */
  invoke(event?: unknown, options?: InvokeOptions): Promise<InvocationResult>;
  /** Sends SHUTDOWN to the external extensions that registered for it; `deadlineMs` is Unix ms. */
  sendShutdown(reason: ShutdownReason, deadlineMs: number): void;
  /** The function's process is gone: every open invocation is answered with Lambda's error. */
  processExited(reason: string): void;
  close(): Promise<void>;
}

/** Starts both APIs on a free port of the loopback interface. */
export async function startRuntimeApi(options: RuntimeApiOptions = {}): Promise<RuntimeApi> {
  const api = new LocalRuntimeApi(options);
  await api.listen();
  return api;
}

class LocalRuntimeApi implements RuntimeApi {
  readonly #functionArn: string;
  readonly #timeoutMs: number;
  readonly #environment: Environment;
  readonly #extensions: ExtensionsApi;
  readonly #server: Server;
  /** Answers that are being read. */
  readonly #answers = new Set<Promise<Answer>>();

  constructor(options: RuntimeApiOptions) {
    const { functionName = "my-function", managedInstances = false } = options;
    this.#functionArn = options.functionArn ?? `${DEFAULT_ARN_PREFIX}${functionName}`;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#extensions = new ExtensionsApi({
      externalNames: options.externalExtensions ?? [],
      managedInstances,
      refuse: options.refuseRegistration,
      functionInfo: {
        functionName,
        functionVersion: options.functionVersion ?? "$LATEST",
        handler: options.handler ?? "index.handler",
      },
      onIdle: (id) => this.#environment.extensionIdle(id),
      onInitError: (errorType) =>
        this.#environment.failInit(platformError(errorType, "An extension failed to start")),
    });
    this.#environment = new Environment({
      managedInstances,
      announce: (invocation) => this.#extensions.sendInvoke(invocation),
      extensionsReady: () => this.#extensions.allReady,
      onTimeout: () => options.onTimeout?.(),
    });
    this.#server = this.#createServer();
  }

  get address(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  get initialized(): Promise<InitOutcome> {
    return this.#environment.initialized;
  }

  get initError(): FunctionError | undefined {
    return this.#environment.initError;
  }

  get extensions(): readonly Extension[] {
    return this.#extensions.list;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  invoke(event?: unknown, options: InvokeOptions = {}): Promise<InvocationResult> {
    const invocation = new Invocation(event, this.#functionArn, this.#timeoutMs, options);
    this.#environment.enqueue(invocation);
    return invocation.answered;
  }

  sendShutdown(reason: ShutdownReason, deadlineMs: number): void {
    this.#extensions.sendShutdown(reason, deadlineMs);
  }

  processExited(reason: string): void {
    // What it wrote before it died is still on its way through the sockets.
    setImmediate(() => {
      void Promise.all(this.#answers).then(() => this.#environment.exited(reason));
    });
  }

  async close(): Promise<void> {
    this.#environment.exited("The local Lambda was closed");
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #createServer(): Server {
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      // Only a request that broke off or makes no sense gets here.
      this.#route(request, response).catch(() => response.destroy());
    });
    // A frozen process keeps its connections open for as long as the freeze lasts.
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.keepAliveTimeout = 0;
    return server;
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const route = `${request.method} ${pathname}`;
    const extension = /^(?:GET|POST) \/2020-01-01\/extension\/(.+)$/.exec(route)?.[1];
    if (extension !== undefined) return this.#extensions.handle(extension, request, response);
    if (route === "GET /2018-06-01/runtime/invocation/next") return this.#next(response);
    if (route === "POST /2018-06-01/runtime/init/error") return this.#initError(request, response);
    const [, id, kind] =
      /^POST \/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(route) ?? [];
    if (id === undefined) return sendError(response, 404, "NotFound", `No route for ${route}`);
    return this.#answer(decodeURIComponent(id), kind === "error", request, response);
  }

  #next(response: ServerResponse): void {
    this.#extensions.closeRegistration();
    const poll: Poll = (invocation) =>
      sendBytes(response, 200, invocation.payload, invocation.headers());
    response.once("close", () => this.#environment.dropPoll(poll));
    if (this.#environment.runtimeNext(poll)) return;
    sendError(response, 403, "InvalidStateTransition", "The invocation has no answer yet");
  }

  async #answer(
    requestId: string,
    isError: boolean,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const invocation = this.#environment.claim(requestId);
    if (invocation === undefined) {
      return sendError(response, 400, "InvalidRequestID", "Invalid request ID");
    }
    const answer = readAnswer(request, isError);
    this.#answers.add(answer);
    this.#environment.post(invocation, await answer);
    this.#answers.delete(answer);
    sendAccepted(response);
  }

  async #initError(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#environment.failInit(await readAnswer(request, true));
    sendAccepted(response);
  }
}
