import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { SecureServerOptions } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { createAuthority } from "../support/certificates.ts";
import { captureDiagnostics } from "./support/diagnostics.ts";
import { answerCall, startGrpcServer } from "./support/grpc-server.ts";
import { openDestination, sendOnce } from "./support/open-destination.ts";

const REQUEST = Buffer.alloc(2000, "spans");
/** Never waited for: far above what a handshake takes on a busy machine. */
const TIMEOUT_MS = 15_000;

const directory = mkdtempSync(join(tmpdir(), "coldspan-tls-"));
afterAll(() => rmSync(directory, { recursive: true }));

const authority = createAuthority();
const identity = authority.issue({ usage: "server" });
const client = authority.issue({ usage: "client" });
const caFile = write("ca.pem", authority.cert);
const clientKeyFile = write("client.key", client.key);
const clientCertificateFile = write("client.pem", client.cert);

function write(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

async function serveTls(own: SecureServerOptions = {}) {
  const server = await startGrpcServer(undefined, { tls: { ...identity, ...own } });
  onTestFinished(() => server.close());
  return server;
}

test.each(["https://localhost:", "localhost:", "https://127.0.0.1:"])(
  "%s speaks TLS with the configured CA",
  async (base) => {
    const { port, calls } = await serveTls();
    const destination = await openDestination({ endpoint: `${base}${port}`, caFile });

    expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
    expect(calls[0]?.headers[":scheme"]).toBe("https");
  },
);

test("a lost connection is replaced by one that resumes its TLS session", async () => {
  const wasResumed: boolean[] = [];
  const server = await startGrpcServer(
    (call) => {
      const socket = call.stream.session?.socket as TLSSocket | undefined;
      wasResumed.push(socket?.isSessionReused() === true);
      answerCall(call);
    },
    { tls: identity },
  );
  onTestFinished(() => server.close());
  const endpoint = `https://localhost:${server.port}`;
  const destination = await openDestination({ endpoint, caFile });

  await destination.send(REQUEST, TIMEOUT_MS);
  server.connections[0]?.destroy();
  await destination.send(REQUEST, TIMEOUT_MS);

  expect(wasResumed).toEqual([false, true]);
});

test("a certificate of an unknown authority keeps the spans, and says why", async () => {
  const server = await serveTls();
  const { port, calls } = server;
  const destination = await openDestination({ endpoint: `https://localhost:${port}` });

  const outcome = await sendOnce(destination, REQUEST, server);

  expect(outcome).toMatchObject({ status: "retryable", answerLost: false });
  expect(outcome.status === "retryable" && outcome.error.message).toMatch(/certificate/);
  expect(calls).toHaveLength(0);
});

test("a certificate for another host is refused", async () => {
  const server = await serveTls(authority.issue({ usage: "server", hosts: ["elsewhere.example"] }));
  const endpoint = `https://localhost:${server.port}`;
  const destination = await openDestination({ endpoint, caFile });

  expect(await sendOnce(destination, REQUEST, server)).toMatchObject({
    status: "retryable",
    error: { message: expect.stringMatching(/localhost/) },
  });
});

test("an expired certificate is refused", async () => {
  const server = await serveTls(authority.issue({ usage: "server", expired: true }));
  const endpoint = `https://localhost:${server.port}`;
  const destination = await openDestination({ endpoint, caFile });

  expect(await sendOnce(destination, REQUEST, server)).toMatchObject({
    status: "retryable",
    error: { message: expect.stringMatching(/expired/) },
  });
});

test("the client certificate is shown to a server that asks for one", async () => {
  const server = await serveTls({ ca: authority.cert, requestCert: true });
  const endpoint = `https://localhost:${server.port}`;
  const known = await openDestination({ endpoint, caFile, clientKeyFile, clientCertificateFile });
  const unknown = await openDestination({ endpoint, caFile });

  expect(await known.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await sendOnce(unknown, REQUEST, server)).toMatchObject({ status: "retryable" });
  expect(server.calls).toHaveLength(1);
});

test("a plain-text server behind https:// leaves the spans for later", async () => {
  const server = await startGrpcServer();
  onTestFinished(() => server.close());
  const destination = await openDestination({ endpoint: `https://127.0.0.1:${server.port}` });

  expect(await sendOnce(destination, REQUEST, server)).toMatchObject({
    status: "retryable",
    answerLost: false,
  });
});

test("a TLS server that does not offer HTTP/2 leaves the spans for later", async () => {
  const { createServer } = await import("node:https");
  const server = createServer(identity, (_request, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as { port: number };
  const destination = await openDestination({ endpoint: `https://localhost:${port}`, caFile });

  expect(await destination.send(REQUEST, 1000)).toMatchObject({ status: "retryable" });
});

test.each([
  ["OTEL_EXPORTER_OTLP_CERTIFICATE", "caFile"],
  ["OTEL_EXPORTER_OTLP_CLIENT_KEY", "clientKeyFile"],
  ["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "clientCertificateFile"],
])("an unreadable file of %s fails each send with one clear line", async (variable, option) => {
  const lines = captureDiagnostics();
  const path = join(directory, "absent.pem");
  const files = { caFile, clientKeyFile, clientCertificateFile, [option]: path };
  const destination = await openDestination({ endpoint: "https://localhost:4317", ...files });

  const message = `${variable}: cannot read ${path} (ENOENT)`;
  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message },
  });
  expect(lines).toEqual([`the otlp/grpc exporter cannot start: ${message}`]);
});

test("a file that is not PEM, or a key of another certificate, is named", async () => {
  captureDiagnostics();
  const notes = write("notes.txt", "not a certificate");
  const broken = write(
    "broken.pem",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  );
  const otherKey = write("other.key", authority.issue({ usage: "client" }).key);
  const endpoint = "https://localhost:4317";

  const outcomes = [
    await openDestination({ endpoint, caFile: notes }),
    await openDestination({ endpoint, caFile: broken }),
    await openDestination({ endpoint, clientKeyFile: otherKey, clientCertificateFile }),
  ].map((destination) => destination.send(REQUEST, TIMEOUT_MS));

  const messages = (await Promise.all(outcomes)).map(
    (outcome) => outcome.status === "failure" && outcome.error.message,
  );
  expect(messages).toEqual([
    expect.stringContaining(notes),
    expect.stringContaining(broken),
    expect.stringContaining(otherKey),
  ]);
});

test("a client key without its certificate is left out with a warning", async () => {
  const lines = captureDiagnostics();
  const { port } = await serveTls();
  const endpoint = `https://localhost:${port}`;
  const destination = await openDestination({ endpoint, caFile, clientKeyFile });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(lines).toEqual([expect.stringMatching(/client key needs a client certificate/)]);
});

test("a unix socket is reached without TLS", async () => {
  const path = join(directory, "collector.sock");
  const server = await startGrpcServer(undefined, { listen: { path } });
  onTestFinished(() => server.close());
  const destination = await openDestination({ endpoint: `unix:${path}` });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(server.calls[0]?.headers[":authority"]).toBe("localhost");
  expect(destination.name).toBe(`otlp/grpc ${path}`);
});
