/** Lambda's Extensions API 2020-01-01, as an extension inside the function's process speaks it. */
import { type LoopbackAnswer, LoopbackHttp, type LoopbackRequest } from "./loopback-http.ts";

const PATH = "/2020-01-01/extension";
const IDENTIFIER = "lambda-extension-identifier";

/** The API said no. */
export class ExtensionRefusal extends Error {
  override readonly name = "ExtensionRefusal";
}

export class ExtensionsApi {
  /** Outlives freezes, as both ends freeze together. */
  readonly #http: LoopbackHttp;
  #identifier = "";

  /** `address` is the value of `AWS_LAMBDA_RUNTIME_API`, `host:port`. */
  constructor(address: string) {
    this.#http = new LoopbackHttp(address);
  }

  /** Asks for `INVOKE` events. Rejects with an {@link ExtensionRefusal} when Lambda refuses. */
  async register(name: string): Promise<void> {
    const { headers } = await this.#send({
      method: "POST",
      path: `${PATH}/register`,
      headers: { "Lambda-Extension-Name": name, "Content-Type": "application/json" },
      body: JSON.stringify({ events: ["INVOKE"] }),
    });
    const identifier = headers.get(IDENTIFIER);
    if (identifier === undefined) throw new ExtensionRefusal("no identifier in the answer");
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

  async #send(request: LoopbackRequest): Promise<LoopbackAnswer> {
    const answer = await this.#http.send(request);
    if (answer.status === 200) return answer;
    throw new ExtensionRefusal(`HTTP ${answer.status} ${answer.body.slice(0, 200)}`);
  }
}

function eventTypeOf(body: string): string {
  try {
    const { eventType } = JSON.parse(body) as { readonly eventType?: unknown };
    return String(eventType);
  } catch {
    return "unreadable";
  }
}
