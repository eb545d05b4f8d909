/**
 * HTTP/1.1 as Lambda's own APIs on the loopback interface need it: one request at a time on one kept
 * connection. The first use of Node's HTTP client costs 10 ms of CPU in init, this costs 4.
 */
import { connect, type Socket } from "node:net";

/** Far above the few hundred bytes of an event; whoever sends more is not Lambda. */
const MAX_ANSWER_CHARACTERS = 1_048_576;

export interface LoopbackRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Names and values hold no line breaks. */
  readonly headers: Readonly<Record<string, string>>;
  /** ASCII. */
  readonly body?: string;
}

export interface LoopbackAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export class LoopbackHttp {
  readonly #address: string;
  #socket: Socket | undefined;

  /** `address` is `host:port`. */
  constructor(address: string) {
    this.#address = address;
  }

  /** Waits as long as it takes; rejects when the connection breaks. Call it again only after that. */
  send(request: LoopbackRequest): Promise<LoopbackAnswer> {
    const socket = this.#open();
    return new Promise((resolve, reject) => {
      let text = "";
      const finish = (settle: () => void): void => {
        socket.off("data", onData).off("close", onClose).off("error", onClose);
        settle();
      };
      const onData = (data: string): void => {
        text += data;
        const answer = parseAnswer(text);
        if (answer instanceof Error) socket.destroy(answer);
        else if (answer !== undefined) finish(() => resolve(answer));
      };
      const onClose = (error: unknown): void => {
        const reason = error instanceof Error ? error : new Error("The connection was closed");
        finish(() => reject(reason));
      };
      socket.on("data", onData).on("close", onClose).on("error", onClose);
      socket.write(format(request, this.#address));
    });
  }

  #open(): Socket {
    if (this.#socket !== undefined && !this.#socket.destroyed) return this.#socket;
    const [host = "", port] = this.#address.split(":");
    const socket = connect({ host, port: Number(port), noDelay: true });
    // The runtime keeps the process alive; a poll must not, or callbacks would wait for it.
    socket.unref().setEncoding("latin1");
    // Whoever waits hears of it by `close`; in between, the next request opens a new connection.
    socket.on("error", () => undefined);
    this.#socket = socket;
    return socket;
  }
}

function format({ method, path, headers, body = "" }: LoopbackRequest, host: string): string {
  const fields = { Host: host, ...headers, "Content-Length": String(body.length) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

/** The answer in this text, a byte per character; undefined until it is whole, an error when it is none. */
export function parseAnswer(text: string): LoopbackAnswer | Error | undefined {
  if (text.length > MAX_ANSWER_CHARACTERS) return new Error("The answer is too large");
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})\b/.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) return new Error("The answer is not HTTP/1.1");
  const headers = new Map(lines.map(parseHeader));
  const rest = text.slice(headEnd + 4);
  const isChunked = headers.get("transfer-encoding")?.toLowerCase() === "chunked";
  const body = isChunked
    ? readChunks(rest)
    : readLength(rest, Number(headers.get("content-length") ?? 0));
  if (body === undefined || body instanceof Error) return body;
  return { status, headers, body: Buffer.from(body, "latin1").toString("utf8") };
}

function parseHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}

function readLength(text: string, length: number): string | Error | undefined {
  if (!Number.isSafeInteger(length)) return new Error("The answer has no length");
  return text.length < length ? undefined : text.slice(0, length);
}

/** RFC 9112 §7.1, without trailers. */
function readChunks(text: string): string | Error | undefined {
  let body = "";
  let position = 0;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", position);
    if (lineEnd === -1) return undefined;
    const size = /^[0-9a-f]{1,6}(?=;|$)/i.exec(text.slice(position, lineEnd))?.[0];
    if (size === undefined) return new Error("The answer has a chunk without a size");
    const start = lineEnd + 2;
    const end = start + Number.parseInt(size, 16);
    if (text.length < end + 2) return undefined;
    if (end === start) return body;
    body += text.slice(start, end);
    position = end + 2;
  }
}
