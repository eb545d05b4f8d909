/** The wire in front of a server: a TCP relay on loopback that can be cut, silenced, closed and reopened. */
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
  /** Closes both directions in order (FIN) once everything written before was delivered. */
  end(): void;
  /** Resets the connection (RST); what the client has not read is lost to it. */
  reset(): void;
  /** Delivers and reads nothing from now on and says nothing about it, like a lost NAT entry. */
  silence(): void;
  /** Delivers bytes the server never wrote. */
  inject(bytes: Uint8Array): void;
}

export class TcpGate {
  /** The port clients connect to; kept over {@link TcpGate.stop} and {@link TcpGate.restart}. */
  readonly port: number;
  readonly #server: Server;
  readonly #connections: Map<number, RelayedConnection>;

  private constructor(server: Server, connections: Map<number, RelayedConnection>) {
    this.#server = server;
    this.#connections = connections;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Opens a gate in front of a server that listens on a loopback port. */
  static async open(targetPort: number): Promise<TcpGate> {
    const connections = new Map<number, RelayedConnection>();
    let count = 0;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const upstream = connect({
        port: targetPort,
        host: LOOPBACK,
        allowHalfOpen: true,
        noDelay: true,
      });
      const connection = new RelayedConnection(count++, client, upstream);
      // The server knows a connection by the relay's own port: the key must exist before its first request.
      client.pause();
      upstream.once("connect", () => {
        const { localPort } = upstream;
        if (localPort !== undefined) {
          connections.set(localPort, connection);
          upstream.once("close", () => connections.delete(localPort));
        }
        connection.start();
      });
    });
    await listen(server, 0);
    return new TcpGate(server, connections);
  }

  /** The client connection behind a connection the server sees, by its remote port there. */
  find(remotePort: number | undefined): GateConnection | undefined {
    return remotePort === undefined ? undefined : this.#connections.get(remotePort);
  }

  /** The connections that are open now. */
  connections(): readonly GateConnection[] {
    return [...this.#connections.values()];
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
    for (const connection of this.#connections.values()) connection.destroy();
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
    this.#client.pipe(this.#upstream);
    this.#upstream.pipe(this.#client);
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

  destroy(): void {
    this.#client.destroy();
    this.#upstream.destroy();
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
