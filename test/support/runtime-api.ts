/** Just enough of the Runtime API 2018-06-01 to start a function and give it events one by one. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface PostedError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

export interface Answer {
  readonly response?: unknown;
  readonly error?: PostedError;
  /** Unix time in ms at which the runtime had posted it. */
  readonly timeMs: number;
}

export interface RuntimeApi {
  /** `host:port`, the value of `AWS_LAMBDA_RUNTIME_API`. */
  readonly address: string;
  /** Resolves when the function asks for an event, or posted why it cannot. */
  readonly initialized: Promise<PostedError | undefined>;
  /** Hands out an event and waits for the answer. */
  invoke(event: unknown): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts the API on a free port of the loopback interface. */
export async function startRuntimeApi(): Promise<RuntimeApi> {
  const initialized = Promise.withResolvers<PostedError | undefined>();
  const events: { readonly event: unknown; readonly answer: (answer: Answer) => void }[] = [];
  let poll: ServerResponse | undefined;
  let current: ((answer: Answer) => void) | undefined;

  const handOut = (): void => {
    const next = poll === undefined ? undefined : events.shift();
    if (poll === undefined || next === undefined) return;
    current = next.answer;
    poll.writeHead(200, invocationHeaders()).end(JSON.stringify(next.event));
    poll = undefined;
  };
  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url?.endsWith("/invocation/next")) {
      initialized.resolve(undefined);
      poll = response;
      return handOut();
    }
    const body: unknown = JSON.parse(await text(request));
    response.writeHead(202, { "Content-Type": "application/json" }).end("{}");
    if (request.url?.endsWith("/init/error")) return initialized.resolve(body as PostedError);
    const isError = request.url?.endsWith("/error") ?? false;
    current?.({
      timeMs: Date.now(),
      ...(isError ? { error: body as PostedError } : { response: body }),
    });
  };
  const server = createServer((request, response) => {
    route(request, response).catch(() => response.destroy());
  });
  // A frozen function keeps its connections open for as long as the freeze lasts.
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    initialized: initialized.promise,
    invoke: (event) =>
      new Promise((answer) => {
        events.push({ event, answer });
        handOut();
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function invocationHeaders(): Record<string, string> {
  return {
    "Content-Type": "application/json",
    "Lambda-Runtime-Aws-Request-Id": crypto.randomUUID(),
    "Lambda-Runtime-Deadline-Ms": String(Date.now() + 30_000),
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
  };
}
