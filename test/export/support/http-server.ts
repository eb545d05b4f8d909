/** An HTTP server whose every answer a test writes itself. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import { onTestFinished } from "vitest";

export interface HttpCall {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Decompressed. */
  readonly body: Buffer;
  readonly response: ServerResponse;
}

export interface HttpServer {
  readonly port: number;
  /** The traces URL. */
  readonly endpoint: string;
  /** Every request that was read to its end. */
  readonly calls: readonly HttpCall[];
  /** Connections ever made. */
  readonly connections: readonly Socket[];
  close(): Promise<void>;
}

/** Closed with the test. */
export async function serveHttp(
  onCall: (call: HttpCall, index: number) => void = ({ response }) => response.end(),
  tls?: ServerOptions,
): Promise<HttpServer> {
  const server = tls === undefined ? createServer() : createTlsServer(tls);
  const calls: HttpCall[] = [];
  const connections: Socket[] = [];
  server.on("connection", (socket: Socket) => connections.push(socket));
  server.on("request", async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    const sent = Buffer.concat(chunks);
    const body = headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
    const call = { method, url, headers, body, response };
    calls.push(call);
    onCall(call, calls.length - 1);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of connections) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  const base = tls === undefined ? "http://127.0.0.1" : "https://localhost";
  return { port, endpoint: `${base}:${port}/v1/traces`, calls, connections, close };
}
