/** Opens connections to one place: TCP or a socket file, with TLS inside where it is wanted. */
import { connect as connectSocket, isIP, type Socket } from "node:net";
import type { ConnectionOptions, SecureContext, TLSSocket } from "node:tls";

/** `node:tls` and what to use it with; loaded only for endpoints that need it. */
export interface Tls {
  readonly connect: (options: ConnectionOptions) => TLSSocket;
  /** Undefined: Node's own roots, no client certificate. */
  readonly context: SecureContext | undefined;
}

export interface DialTarget {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Takes the place of host and port. */
  readonly socketPath?: string | undefined;
  /** Undefined for plain text. */
  readonly tls: Tls | undefined;
  /** What TLS negotiates (ALPN). */
  readonly protocol: "h2" | "http/1.1";
}

export interface Dialer {
  /** Opens a connection; errors come as its `error` event. */
  (): Socket;
  /** True when the sockets are those of `node:tls`, open with `secureConnect`. */
  readonly isSecure: boolean;
}

export function createDialer(target: DialTarget): Dialer {
  return Object.assign(dialTo(target), {
    isSecure: target.tls !== undefined && target.socketPath === undefined,
  });
}

function dialTo({ host, port, socketPath, tls, protocol }: DialTarget): () => Socket {
  if (socketPath !== undefined) return () => connectSocket(socketPath);
  if (tls === undefined) {
    return () => connectSocket({ host, port, noDelay: true, keepAlive: true });
  }
  const options: ConnectionOptions = {
    host,
    port,
    // Server names are names (RFC 6066 §3); a certificate is checked against an address all the same.
    servername: isIP(host) === 0 ? host : "",
    ALPNProtocols: [protocol],
    ...(tls.context === undefined ? {} : { secureContext: tls.context }),
  };
  // A resumed session saves most of the handshake's CPU, which a small function has little of.
  let session: Buffer | undefined;
  return () => {
    const socket = tls.connect(session === undefined ? options : { ...options, session });
    socket.setNoDelay(true).setKeepAlive(true);
    socket.on("session", (next) => {
      session = next;
    });
    return socket;
  };
}

/** What an error of a connection says; trying every address of a name fails without a message of its own. */
export function describeSocketError(error: Error): string {
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error ? first.message : error.message;
}
