/** Lambda's Extensions API 2020-01-01, as an extension inside the function's process speaks it. */
import { Agent, type IncomingMessage, type RequestOptions, request } from "node:http";
import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";

const PATH = "/2020-01-01/extension";
const IDENTIFIER = "lambda-extension-identifier";

/** An extension inside the process may ask for `INVOKE`, or for nothing but to be registered. */
export type ExtensionEvents = readonly ["INVOKE"] | readonly [];

/** The API said no. */
export class ExtensionRefusal extends Error {
  override readonly name = "ExtensionRefusal";
}

interface Answer {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export class ExtensionsApi {
  readonly #address: string;
  /** One connection: requests follow one another. It outlives freezes, as both ends freeze together. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #identifier = "";

  /** `address` is the value of `AWS_LAMBDA_RUNTIME_API`, `host:port`. */
  constructor(address: string) {
    this.#address = address;
  }

  /** Rejects with an {@link ExtensionRefusal} when Lambda refuses, such as after init. */
  async register(name: string, events: ExtensionEvents): Promise<void> {
    const headers = { "Lambda-Extension-Name": name, "Content-Type": "application/json" };
    const answer = await this.#send(
      { method: "POST", path: `${PATH}/register`, headers },
      JSON.stringify({ events }),
    );
    const identifier = answer.headers[IDENTIFIER];
    if (typeof identifier !== "string") throw new ExtensionRefusal("no identifier in the answer");
    this.#identifier = identifier;
  }

  /**
   * Resolves with the next event's type: after hours, perhaps. Calling it says that the last event is
   * dealt with; the first call ends this extension's part of init.
   */
  async next(): Promise<string> {
    const headers = { [IDENTIFIER]: this.#identifier };
    const { body } = await this.#send({ method: "GET", path: `${PATH}/event/next`, headers });
    return eventTypeOf(body);
  }

  #send(options: RequestOptions, body = ""): Promise<Answer> {
    const { hostname, port } = new URL(`http://${this.#address}`);
    return new Promise((resolve, reject) => {
      const onResponse = (response: IncomingMessage): void => {
        readBody(response).then((text) => {
          const { statusCode = 0, headers } = response;
          if (statusCode === 200) resolve({ headers, body: text });
          else reject(new ExtensionRefusal(`HTTP ${statusCode} ${text.slice(0, 200)}`));
        }, reject);
      };
      // Our own requests are no spans, whichever span's context they start in.
      context.with(suppressTracing(ROOT_CONTEXT), () => {
        request({ ...options, hostname, port, agent: this.#agent }, onResponse)
          // The runtime keeps the process alive; a poll must not, or callbacks would wait for it.
          .on("socket", (socket) => socket.unref())
          .on("error", reject)
          .end(body);
      });
    });
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) text += chunk;
  return text;
}

function eventTypeOf(body: string): string {
  try {
    const { eventType } = JSON.parse(body) as { readonly eventType?: unknown };
    return String(eventType);
  } catch {
    return "unreadable";
  }
}
