/**
 * The wire in front of a server: a TCP relay on loopback that can be cut, silenced, closed and reopened,
 * without the server's doing and through public APIs only. It costs a request ~0.06 ms.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";

const LOOPBACK = "127.0.0.1";

/** One client connection through the gate. */
export interface GateConnection {
  /** Counts from 0 in order of arrival. */
  readonly index: number;
  /** True once the gate no longer delivers what the server writes. */
  readonly isCut: boolean;
  /** Closes both directions in order (FIN), after what was relayed before. */
  end(): void;
  /** Resets the connection (RST); what the client has not read is lost to it. */
  reset(): void;
  /** Delivers and reads nothing from now on and says nothing about it, like a lost NAT entry. */
  silence(): void;
  /** Delivers bytes the server never wrote. */
  inject(bytes: Uint8Array): void;
  /** Calls back once the first `bytes` of what the server wrote are on their way to the client; never if they were cut. */
  whenDelivered(bytes: number, run: () => void): void;
}

/**
 * What happens to new connections: relayed; accepted and then ignored for good (a black hole);
 * accepted and closed at once; accepted and reset at once.
 */
export type Welcome = "relay" | "ignore" | "hang-up" | "reset";

export class TcpGate {
  /** How new connections are treated; open ones stay as they are. */
  welcome: Welcome = "relay";
  /** The port clients connect to; kept over {@link TcpGate.stop} and {@link TcpGate.restart}. */
  readonly port: number;
  readonly #server: Server;
  readonly #relayed: Set<RelayedConnection> = new Set();
  /** By the relay's own port, which is what the server sees of a client. */
  readonly #byPort: Map<number, RelayedConnection> = new Map();
  readonly #ignored: Set<Socket> = new Set();
  #count = 0;

  private constructor(server: Server, port: number, targetPort: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (client: Socket) => this.#receive(client, targetPort));
  }

  /** Opens a gate in front of a server that listens on a loopback port. */
  static async open(targetPort: number): Promise<TcpGate> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    await listen(server, 0);
    return new TcpGate(server, (server.address() as AddressInfo).port, targetPort);
  }

  #receive(client: Socket, targetPort: number): void {
    if (this.welcome === "relay") {
      this.#relay(client, targetPort);
      return;
    }
    // A peer's reset of a connection nobody serves is not an event.
    client.on("error", () => {});
    if (this.welcome === "reset") client.resetAndDestroy();
    else if (this.welcome === "hang-up") client.end().resume();
    else this.#ignored.add(client);
  }

  #relay(client: Socket, targetPort: number): void {
    const target = { port: targetPort, host: LOOPBACK, allowHalfOpen: true, noDelay: true };
    const upstream = connect(target, () => {
      const { localPort } = upstream;
      if (localPort === undefined) return;
      this.#byPort.set(localPort, connection);
      upstream.once("close", () => this.#byPort.delete(localPort));
      connection.start();
    });
    const connection = new RelayedConnection(this.#count++, client, upstream);
    this.#relayed.add(connection);
    client.once("close", () => this.#relayed.delete(connection));
  }

  /** The client connection behind a connection the server sees, by its remote port there. */
  find(remotePort: number | undefined): GateConnection | undefined {
    return remotePort === undefined ? undefined : this.#byPort.get(remotePort);
  }

  /** The relayed connections whose client has not closed. */
  connections(): readonly GateConnection[] {
    return [...this.#relayed];
  }

  /** Refuses new connections from now on; open ones stay. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    // Its `close` event waits for the last connection; the port itself is free after one turn.
    this.#server.close();
    await setImmediate();
  }

  /** Listens again on the same port. */
  async restart(): Promise<void> {
    if (!this.#server.listening) await listen(this.#server, this.port);
  }

  /** Stops and drops every connection. */
  async close(): Promise<void> {
    await this.stop();
    for (const connection of this.#relayed) connection.destroy();
    for (const client of this.#ignored) client.destroy();
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, LOOPBACK);
  await once(server, "listening");
}

class RelayedConnection implements GateConnection {
  readonly index: number;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #waiting = new Map<() => void, number>();
  #deliveredBytes = 0;
  #isCut = false;

  constructor(index: number, client: Socket, upstream: Socket) {
    this.index = index;
    this.#client = client;
    this.#upstream = upstream;
    // A socket error here is the peer's reset: it is passed on, as the wire would.
    client.on("error", () => this.#upstream.resetAndDestroy());
    upstream.on("error", () => this.#client.resetAndDestroy());
    client.on("close", () => this.#upstream.destroy());
    upstream.on("close", () => {
      if (!this.#isCut && !this.#client.writableEnded) this.#client.destroy();
    });
  }

  get isCut(): boolean {
    return this.#isCut || this.#client.destroyed;
  }

  start(): void {
    if (this.#isCut) return;
    this.#client.pipe(this.#upstream);
    this.#upstream.pipe(this.#client);
    this.#upstream.on("data", ({ length }: Buffer) => this.#deliver(length));
  }

  end(): void {
    this.#detach();
    this.#client.end();
    this.#client.resume();
    this.#upstream.destroy();
  }

  reset(): void {
    this.#detach();
    this.#client.resetAndDestroy();
  }

  silence(): void {
    this.#detach();
  }

  inject(bytes: Uint8Array): void {
    this.#client.write(bytes);
  }

  whenDelivered(bytes: number, run: () => void): void {
    this.#waiting.set(run, bytes);
    this.#deliver(0);
  }

  destroy(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  #deliver(bytes: number): void {
    if (this.isCut) return;
    this.#deliveredBytes += bytes;
    for (const [run, awaitedBytes] of this.#waiting) {
      if (awaitedBytes > this.#deliveredBytes) continue;
      this.#waiting.delete(run);
      run();
    }
  }

  #detach(): void {
    this.#isCut = true;
    this.#client.unpipe(this.#upstream);
    this.#upstream.unpipe(this.#client);
    this.#client.pause();
    // Nobody hears the server any more; reading on keeps it from stalling on a full buffer.
    this.#upstream.resume();
  }
}
