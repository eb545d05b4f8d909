/** One port of the receiver: a server, and the gate in front of it that tests tamper with. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Server as TlsServer } from "node:tls";
import {
  type Arrival,
  type Endpoint,
  type EndpointServer,
  type Exchange,
  type ReceiverTls,
  toServerTls,
} from "./otlp-exchange.ts";
import { type GateConnection, TcpGate, type Welcome } from "./tcp-gate.ts";

export interface PortOptions extends Omit<Endpoint, "receive"> {
  /** Remembers a request and decides how to treat it. */
  receive(arrival: Arrival, connection: GateConnection | undefined): Exchange;
}

/** Listens on a free port of 127.0.0.1. */
export async function openPort(
  createServer: (endpoint: Endpoint) => EndpointServer,
  { receive, ...options }: PortOptions,
): Promise<ReceiverPort> {
  const endpoint = createServer({
    ...options,
    receive: (arrival) => receive(arrival, gate.find(arrival.remotePort)),
  });
  endpoint.server.listen(0, "127.0.0.1");
  await once(endpoint.server, "listening");
  const gate = await TcpGate.open((endpoint.server.address() as AddressInfo).port);
  return new ReceiverPort(endpoint, gate);
}

export class ReceiverPort {
  readonly #endpoint: EndpointServer;
  readonly #gate: TcpGate;

  constructor(endpoint: EndpointServer, gate: TcpGate) {
    this.#endpoint = endpoint;
    this.#gate = gate;
  }

  get port(): number {
    return this.#gate.port;
  }

  welcome(how: Welcome): void {
    this.#gate.welcome = how;
  }

  drain(): void {
    this.#endpoint.drain();
  }

  cut(how: "end" | "reset" | "silence"): void {
    for (const connection of this.#gate.connections()) connection[how]();
  }

  useCertificate(tls: ReceiverTls): void {
    const { server } = this.#endpoint;
    if (!(server instanceof TlsServer)) throw new Error("a plain-text port has no certificate");
    server.setSecureContext(toServerTls(tls));
  }

  async stop(): Promise<void> {
    await this.#gate.stop();
    this.cut("end");
  }

  restart(): Promise<void> {
    return this.#gate.restart();
  }

  async close(): Promise<void> {
    await this.#gate.close();
    const { server, destroy } = this.#endpoint;
    const closed = once(server, "close");
    server.close();
    destroy();
    await closed;
  }
}
