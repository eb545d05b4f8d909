import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, expect, test } from "vitest";
import { createAuthority } from "../support/certificates.ts";
import { serveHttp } from "./support/http-server.ts";
import { openDestination, sendOnce } from "./support/open-destination.ts";

const REQUEST = Buffer.alloc(2000, "spans");
const TIMEOUT_MS = 15_000;

const directory = mkdtempSync(join(tmpdir(), "coldspan-https-"));
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

test("TLS is spoken with the configured CA, and resumed on the next connection", async () => {
  const wasResumed: boolean[] = [];
  const { endpoint } = await serveHttp(({ response }) => {
    wasResumed.push((response.req.socket as TLSSocket).isSessionReused());
    response.setHeader("connection", "close").end();
  }, identity);
  const destination = await openDestination({ protocol: "http/protobuf", endpoint, caFile });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });

  expect(wasResumed).toEqual([false, true]);
});

test("an endpoint by address is checked against the certificate's addresses", async () => {
  const { port } = await serveHttp(undefined, identity);
  const endpoint = `https://127.0.0.1:${port}/v1/traces`;
  const destination = await openDestination({ protocol: "http/protobuf", endpoint, caFile });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
});

test("a certificate of an unknown authority or for another host keeps the spans, and says why", async () => {
  const elsewhere = authority.issue({ usage: "server", hosts: ["elsewhere.example"] });
  const known = await serveHttp(undefined, identity);
  const other = await serveHttp(undefined, elsewhere);
  const stranger = await openDestination({ protocol: "http/protobuf", endpoint: known.endpoint });
  const misled = await openDestination({
    protocol: "http/protobuf",
    endpoint: other.endpoint,
    caFile,
  });

  expect(await sendOnce(stranger, REQUEST, known)).toMatchObject({
    status: "retryable",
    answerLost: false,
    error: { message: expect.stringMatching(/certificate/) },
  });
  expect(await sendOnce(misled, REQUEST, other)).toMatchObject({
    status: "retryable",
    answerLost: false,
    error: { message: expect.stringMatching(/localhost/) },
  });
  expect([...known.calls, ...other.calls]).toHaveLength(0);
});

test("the client certificate is shown to a server that asks for one", async () => {
  const server = await serveHttp(undefined, {
    ...identity,
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const { endpoint, calls } = server;
  const files = { caFile, clientKeyFile, clientCertificateFile };
  const known = await openDestination({ protocol: "http/protobuf", endpoint, ...files });
  const unknown = await openDestination({ protocol: "http/protobuf", endpoint, caFile });

  expect(await known.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await sendOnce(unknown, REQUEST, server)).toMatchObject({ status: "retryable" });
  expect(calls).toHaveLength(1);
});

test("an unreadable file fails each send for good", async () => {
  const destination = await openDestination({
    protocol: "http/protobuf",
    endpoint: "https://localhost:4318/v1/traces",
    caFile: join(directory, "absent.pem"),
  });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message: expect.stringMatching(/^OTEL_EXPORTER_OTLP_CERTIFICATE: cannot read/) },
  });
});
