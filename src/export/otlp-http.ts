/** OTLP over HTTP/1.1, in protobuf or JSON: single tries with a deadline over keep-alive connections. */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { OtlpConfig } from "../config.ts";
import type { Destination } from "./destination.ts";
import { createDialer, type Tls } from "./dialer.ts";
import type { RequestHeaders } from "./headers.ts";
import { EndpointAgent } from "./http-agent.ts";
import { judgeHttpAnswer } from "./http-answer.ts";
import { post } from "./http-call.ts";
import {
  type Compressor,
  createOtlpTransport,
  type OtlpRequest,
  type OtlpRoute,
} from "./otlp-transport.ts";
import type { Attempt } from "./retry.ts";
import { USER_AGENT } from "./user-agent.ts";
import { within } from "./within.ts";

/** What differs between users of OTLP/HTTP, each loaded only when it is needed. */
export interface HttpParts {
  readonly encode: (spans: readonly ReadableSpan[]) => Uint8Array;
  /** Set for `https:`. */
  readonly tls: Tls | undefined;
  readonly compress: Compressor | undefined;
  /** Headers that prove who sends these very bytes. */
  readonly sign:
    | ((headers: RequestHeaders, body: Uint8Array) => Promise<RequestHeaders>)
    | undefined;
}

/** As many bytes as gRPC takes by default: receivers tend to have one limit for both. */
const MAX_REQUEST_BYTES = 4_000_000;

/** What X-Ray's OTLP endpoint takes at once; its 5 MB are above our limit. */
const AWS_MAX_REQUEST_SPANS = 10_000;

export function createHttpDestination(config: OtlpConfig, url: URL, parts: HttpParts): Destination {
  const { tls } = parts;
  const port = Number(url.port) || (tls === undefined ? 80 : 443);
  // A URL puts IPv6 addresses into brackets.
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const agent = new EndpointAgent(createDialer({ host, port, tls, protocol: "http/1.1" }));
  const route = new HttpRoute(url, config.protocol, agent, parts);
  return {
    name: `otlp/${config.protocol} ${url.host}`,
    maxRequestBytes: MAX_REQUEST_BYTES,
    ...(parts.sign === undefined ? {} : { maxRequestSpans: AWS_MAX_REQUEST_SPANS }),
    encode: parts.encode,
    ...createOtlpTransport(config, route, parts.compress),
  };
}

class HttpRoute implements OtlpRoute {
  readonly #url: URL;
  readonly #agent: EndpointAgent;
  /** What the protocol says; nothing secret. */
  readonly #headers: RequestHeaders;
  readonly #authorization: RequestHeaders;
  readonly #sign: HttpParts["sign"];

  constructor(url: URL, protocol: OtlpConfig["protocol"], agent: EndpointAgent, parts: HttpParts) {
    this.#url = url;
    this.#agent = agent;
    this.#sign = parts.sign;
    this.#authorization = authorizationOf(url);
    this.#headers = {
      host: url.host,
      "content-type": protocol === "http/json" ? "application/json" : "application/x-protobuf",
      ...(parts.compress === undefined ? {} : { "content-encoding": "gzip" }),
      "user-agent": USER_AGENT,
    };
  }

  async attempt({ headers, body }: OtlpRequest, timeoutMs: number): Promise<Attempt> {
    const deadline = performance.now() + timeoutMs;
    let all: RequestHeaders = { ...this.#authorization, ...headers, ...this.#headers };
    try {
      if (this.#sign !== undefined) {
        all = await within(this.#sign(all, body), timeoutMs, "signature");
      }
    } catch {
      // The reason may quote a credential.
      const error = new Error("The AWS credentials for signing are not to be had");
      return { outcome: { status: "retryable", error, answerLost: false } };
    }
    const result = await post(
      {
        agent: this.#agent,
        path: `${this.#url.pathname}${this.#url.search}`,
        headers: { ...all, "content-length": body.length },
      },
      body,
      deadline - performance.now(),
    );
    if (result.kind === "answer") {
      this.#agent.used();
      return { outcome: judgeHttpAnswer(result.answer, this.#secretsOf(all)) };
    }
    const { kind, reason, wasSent, wasReused } = result;
    if (kind === "oversized") {
      const error = new Error(`The answer's headers are too large (${reason})`);
      return { outcome: { status: "failure", error } };
    }
    return {
      outcome: { status: "retryable", error: new Error(reason), answerLost: wasSent },
      // A server that closed an idle connection just then has not looked at the request.
      retryNow: kind === "connection" && wasReused,
    };
  }

  #secretsOf(headers: RequestHeaders): RequestHeaders {
    const entries = Object.entries(headers).filter(([name]) => !(name in this.#headers));
    return Object.fromEntries(entries);
  }

  connect(): void {
    this.#agent.connect();
  }

  wake(): void {
    this.#agent.wake();
  }

  shutdown(): void {
    this.#agent.destroy();
  }
}

/** User info of an endpoint, as HTTP's basic authentication. */
function authorizationOf({ username, password }: URL): RequestHeaders {
  if (username === "" && password === "") return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}
