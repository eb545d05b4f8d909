/** Keep-alive connections to one HTTP endpoint that a freeze cannot fool. */
import type { AgentOptions } from "node:http";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { ConnectionOptions, SecureContext, TLSSocket } from "node:tls";
import { http } from "./node-http.ts";

/**
 * HTTP/1.1 has no ping, so after a longer gap than this an idle connection is not trusted:
 * a new one costs a round trip or two, a dead one the whole flush bound.
 */
const TRUSTED_IDLE_MS = 1000;

export class EndpointAgent extends http.Agent {
  readonly #dial: () => Socket;
  #waiting: Socket | undefined;
  #lastUsedMs = Date.now();
  #wasUsed = false;

  constructor(dial: () => Socket, options: AgentOptions = { keepAlive: true }) {
    super(options);
    this.#dial = dial;
  }

  /** Called by Node when a request finds no idle connection. */
  override createConnection(): Socket {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting?.writable ? waiting.ref() : this.#dial();
  }

  /** Called when a request is answered. */
  used(): void {
    this.#lastUsedMs = Date.now();
    this.#wasUsed = true;
  }

  /** Opens a connection that the next request will find. */
  connect(): void {
    if (this.#waiting?.writable || this.#hasIdle) return;
    // It must not keep a process alive that has nothing else to do; its errors meet the request that takes it.
    this.#waiting = this.#dial()
      .unref()
      .on("error", () => undefined);
  }

  /** Called when the process may have been frozen: connections that may have died are replaced. */
  wake(): void {
    if (Date.now() - this.#lastUsedMs <= TRUSTED_IDLE_MS) return;
    for (const sockets of Object.values(this.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
    this.#waiting?.destroy();
    this.#waiting = undefined;
    // An invocation that follows one without telemetry will likely have none either.
    if (this.#wasUsed) this.connect();
    this.#wasUsed = false;
  }

  override destroy(): void {
    this.#waiting?.destroy();
    super.destroy();
  }

  get #hasIdle(): boolean {
    return Object.values(this.freeSockets).some((sockets) => sockets?.some((one) => one.writable));
  }
}

/** Opens TCP connections, with TLS inside when `tls` is there. */
export function createDialer(url: URL, tls: TlsDialing | undefined): () => Socket {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (tls === undefined) {
    const port = url.port === "" ? 80 : Number(url.port);
    return () => connectTcp({ host, port, noDelay: true, keepAlive: true });
  }
  const port = url.port === "" ? 443 : Number(url.port);
  const servername = isIP(host) === 0 ? host : "";
  const secureContext = tls.context === undefined ? {} : { secureContext: tls.context };
  // A resumed session saves a round trip and most of the handshake's CPU.
  let session: Buffer | undefined;
  return () => {
    const resumption = session === undefined ? {} : { session };
    const socket = tls.connect({ host, port, servername, ...secureContext, ...resumption });
    socket.setNoDelay(true).setKeepAlive(true);
    socket.on("session", (next) => {
      session = next;
    });
    return socket;
  };
}

/** `node:tls` and what to use it with; loaded only for `https:` endpoints. */
export interface TlsDialing {
  readonly connect: (options: ConnectionOptions) => TLSSocket;
  readonly context: SecureContext | undefined;
}
