/** Lambda's Extensions API 2020-01-01: who registered, for what, and who still works. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { Invocation } from "./invocation.ts";
import {
  headerText,
  isRecord,
  nowMs,
  parseJson,
  sendAccepted,
  sendError,
  sendJson,
} from "./json-http.ts";
import { checkRegistration, type ExtensionEvent } from "./registration.ts";

export interface Extension {
  readonly id: string;
  readonly name: string;
  /** A file in `/opt/extensions`; every other extension lives inside the function's process. */
  readonly external: boolean;
  readonly events: readonly ExtensionEvent[];
  /** Unix ms of the registration. */
  readonly registeredMs: number;
  /** The type posted to `init/error` or `exit/error`. */
  readonly errorType: string | undefined;
}

export interface ExtensionsOptions {
  readonly externalNames: readonly string[];
  readonly managedInstances: boolean;
  /** Answers every registration with this status, or never. */
  readonly refuse: number | "never-answer" | undefined;
  /** The body of a registration's answer. */
  readonly functionInfo: {
    readonly functionName: string;
    readonly functionVersion: string;
    readonly handler: string;
  };
  /** An extension asked for its next event: it has nothing left to do. */
  readonly onIdle: (id: string) => void;
  readonly onInitError: (errorType: string) => void;
}

interface Member extends Extension {
  errorType: string | undefined;
  hasCalledNext: boolean;
  /** The long poll that waits for an event. */
  poll: ServerResponse | undefined;
  /** Events that came while no poll was open. */
  readonly backlog: unknown[];
}

export class ExtensionsApi {
  readonly #options: ExtensionsOptions;
  readonly #members = new Map<string, Member>();
  #registrationClosed = false;

  constructor(options: ExtensionsOptions) {
    this.#options = options;
  }

  get list(): readonly Extension[] {
    return [...this.#members.values()];
  }

  /** The part of the init gate that belongs to extensions: each has asked for an event once. */
  get allReady(): boolean {
    return [...this.#members.values()].every((member) => member.hasCalledNext);
  }

  /** Called when the runtime first asks for an invocation: from then on nobody inside may join. */
  closeRegistration(): void {
    this.#registrationClosed = true;
  }

  /** Sends INVOKE to all who asked for it and names them: the invocation waits for their return. */
  sendInvoke(invocation: Invocation): string[] {
    return this.#send("INVOKE", {
      eventType: "INVOKE",
      deadlineMs: invocation.deadlineMs,
      requestId: invocation.requestId,
      invokedFunctionArn: invocation.functionArn,
      ...(invocation.traceId && {
        tracing: { type: "X-Amzn-Trace-Id", value: invocation.traceId },
      }),
    });
  }

  /** Sends SHUTDOWN to the external extensions that asked for it; internal ones never can. */
  sendShutdown(shutdownReason: string, deadlineMs: number): void {
    this.#send("SHUTDOWN", { eventType: "SHUTDOWN", shutdownReason, deadlineMs });
  }

  /** Answers `register`, `event/next`, `init/error` and `exit/error`. */
  async handle(action: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (action === "register") return this.#register(request, response);
    const id = headerText(request, "lambda-extension-identifier");
    if (id === undefined) {
      sendError(response, 403, "Extension.MissingExtensionIdentifier", "Missing identifier header");
      return;
    }
    const member = this.#members.get(id);
    if (member === undefined) {
      sendError(response, 403, "Extension.UnknownExtensionIdentifier", `Unknown extension ${id}`);
      return;
    }
    if (action === "event/next") this.#next(member, response);
    else this.#fail(member, action, request, response);
  }

  async #register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = headerText(request, "lambda-extension-name") ?? "";
    const body = parseJson(await buffer(request));
    const { refuse, externalNames, managedInstances, functionInfo } = this.#options;
    if (refuse === "never-answer") return;
    if (refuse !== undefined) {
      sendError(response, refuse, "Extension.RegistrationRefused", "Refused by configuration");
      return;
    }
    const events = isRecord(body) ? (body.events ?? []) : undefined;
    const checked = checkRegistration(name, externalNames.includes(name), events, {
      managedInstances,
      closed: this.#registrationClosed,
      takenNames: this.list.map((extension) => extension.name),
    });
    if ("errorType" in checked) {
      sendError(response, 403, checked.errorType, checked.message);
      return;
    }
    const id = randomUUID();
    this.#members.set(id, {
      ...checked,
      id,
      registeredMs: nowMs(),
      errorType: undefined,
      hasCalledNext: false,
      poll: undefined,
      backlog: [],
    });
    sendJson(response, 200, functionInfo, { "lambda-extension-identifier": id });
  }

  #next(member: Member, response: ServerResponse): void {
    member.hasCalledNext = true;
    member.poll = response;
    response.once("close", () => {
      if (member.poll === response) member.poll = undefined;
    });
    this.#options.onIdle(member.id);
    this.#deliver(member);
  }

  #send(type: ExtensionEvent, event: unknown): string[] {
    const listeners = [...this.#members.values()].filter(({ events }) => events.includes(type));
    for (const member of listeners) {
      member.backlog.push(event);
      this.#deliver(member);
    }
    return listeners.map((member) => member.id);
  }

  #deliver(member: Member): void {
    const { poll } = member;
    if (poll === undefined || member.backlog.length === 0) return;
    member.poll = undefined;
    sendJson(poll, 200, member.backlog.shift(), {
      "lambda-extension-event-identifier": randomUUID(),
    });
  }

  #fail(member: Member, action: string, request: IncomingMessage, response: ServerResponse): void {
    const errorType = headerText(request, "lambda-extension-function-error-type");
    if (errorType === undefined) {
      sendError(response, 403, "Extension.MissingHeader", "Error type header not found");
      return;
    }
    member.errorType = errorType;
    sendAccepted(response);
    if (action === "init/error") this.#options.onInitError(errorType);
  }
}
