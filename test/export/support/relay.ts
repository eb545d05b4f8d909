/** A TCP relay that can fall silent, as a connection does whose other end is gone without a word. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Relay {
  readonly port: number;
  /** Connections ever made. */
  readonly connections: readonly Socket[];
  /** The connections that exist now carry nothing more, in either direction, and stay open. */
  silence(): void;
  /** The connections that exist now carry nothing for so long, and then all of it. */
  delay(timeMs: number): void;
  /** New connections are refused from now on. */
  stopListening(): Promise<void>;
  close(): Promise<void>;
}

export async function startRelay(targetPort: number): Promise<Relay> {
  const connections: Socket[] = [];
  const silent = new Set<Socket>();
  // Nagle's algorithm would hold small writes back for 40 ms.
  const server = createServer({ noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: "127.0.0.1", noDelay: true });
    connections.push(client);
    pass(client, target);
    pass(target, client);
  });
  const pass = (from: Socket, to: Socket): void => {
    from.on("data", (data) => {
      if (!silent.has(from)) to.write(data);
    });
    from.on("close", () => {
      if (!silent.has(from)) to.destroy();
    });
    from.on("error", () => undefined);
    all.push(from);
  };
  const all: Socket[] = [];
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    silence: () => {
      for (const socket of all) silent.add(socket);
    },
    delay: (timeMs) => {
      for (const socket of [...all]) {
        socket.pause();
        setTimeout(() => socket.resume(), timeMs);
      }
    },
    stopListening: async () => {
      server.close();
      // A server that is still asked to keep its connections refuses new ones at once.
      await new Promise((resolve) => setImmediate(resolve));
    },
    close: async () => {
      for (const socket of all) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}
