/** OTLP over HTTP/1.1, in protobuf or JSON: single tries with a deadline over keep-alive connections. */
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { OtlpConfig } from "../config.ts";
import type { Destination } from "./destination.ts";
import type { RequestHeaders } from "./headers.ts";
import { createDialer, EndpointAgent, type TlsDialing } from "./http-agent.ts";
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

/** What differs between users of OTLP/HTTP, each loaded only when it is needed. */
export interface HttpParts {
  readonly encode: (spans: readonly ReadableSpan[]) => Uint8Array;
  readonly tls: TlsDialing | undefined;
  readonly compress: Compressor | undefined;
  /** Headers that prove who sends these very bytes. */
  readonly sign?: (headers: RequestHeaders, body: Uint8Array) => Promise<RequestHeaders>;
}

/** As many bytes as gRPC takes by default: receivers tend to have one limit for both. */
const MAX_REQUEST_BYTES = 4_000_000;

export function createHttpDestination(config: OtlpConfig, url: URL, parts: HttpParts): Destination {
  const agent = new EndpointAgent(createDialer(url, parts.tls));
  const route = new HttpRoute(url, config.protocol, agent, parts);
  return {
    name: `otlp/${config.protocol} ${url.host}`,
    maxRequestBytes: MAX_REQUEST_BYTES,
    encode: parts.encode,
    ...createOtlpTransport(config, route, parts.compress),
  };
}

class HttpRoute implements OtlpRoute {
  readonly #url: URL;
  readonly #agent: EndpointAgent;
  readonly #headers: RequestHeaders;
  readonly #sign: HttpParts["sign"];

  constructor(url: URL, protocol: OtlpConfig["protocol"], agent: EndpointAgent, parts: HttpParts) {
    this.#url = url;
    this.#agent = agent;
    this.#sign = parts.sign;
    this.#headers = {
      ...authorizationOf(url),
      host: url.host,
      "content-type": protocol === "http/json" ? "application/json" : "application/x-protobuf",
      ...(parts.compress === undefined ? {} : { "content-encoding": "gzip" }),
      "user-agent": USER_AGENT,
    };
  }

  async attempt({ headers, body }: OtlpRequest, timeoutMs: number): Promise<Attempt> {
    const deadline = performance.now() + timeoutMs;
    let all: RequestHeaders = { ...this.#headers, ...headers };
    try {
      if (this.#sign !== undefined) all = await this.#sign(all, body);
    } catch (error) {
      return { outcome: { status: "retryable", error: error as Error, answerLost: false } };
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
      return { outcome: judgeHttpAnswer(result.answer, all) };
    }
    const { kind, reason, wasSent, wasReused } = result;
    return {
      outcome: { status: "retryable", error: new Error(reason), answerLost: wasSent },
      // A server that closed an idle connection just then has not looked at the request.
      retryNow: kind === "connection" && wasReused,
    };
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
