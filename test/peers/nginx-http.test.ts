import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { OtlpProtocol } from "../../src/config.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { openDestination } from "../export/support/open-destination.ts";
import { createAuthority } from "../support/certificates.ts";
import { expectServed, expectServedOnce, sendOne, startBurst } from "./support/burst.ts";
import { sha256 } from "./support/grpc-peer.ts";
import { startNginx } from "./support/nginx.ts";
import { encode, makeSpans } from "./support/spans.ts";
import { clientFiles, writeTemporary } from "./support/temporary.ts";

const TIMEOUT_MS = 8000;
const LANES = 4;

/** nginx takes 1 MB by default; whoever puts it before a collector has to say more. */
const BODY_LIMIT = "client_max_body_size 5m;";
const HTTP = { protocol: "http/protobuf" } as const;

const authority = createAuthority();
const certificate = authority.issue({ usage: "server" });

async function serveBehindNginx(directives = "", listen = "") {
  const receiver = await startOtlpReceiver();
  onTestFinished(() => receiver.close());
  const { host, pathname } = new URL(receiver.httpUrl);
  const nginx = await startNginx(listen, {
    http: `upstream collector { server ${host}; keepalive 8; }
      limit_req_zone $request_method zone=requests:1m rate=1r/s;`,
    server: `${BODY_LIMIT} ${directives}
      location / {
        proxy_pass http://collector;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header x-connection $connection;
      }`,
  });
  const scheme = listen === "ssl" ? "https" : "http";
  return { receiver, nginx, endpoint: `${scheme}://localhost:${nginx.port}${pathname}` };
}

function tlsDirectives(): string {
  return `ssl_certificate ${writeTemporary("server.pem", certificate.cert)};
    ssl_certificate_key ${writeTemporary("server.key", certificate.key)};`;
}

/** What the receiver got, in the form that bursts are judged by. */
function callsOf(receiver: OtlpReceiver) {
  return receiver.requests().map(({ message, headers }) => ({
    sha256: sha256(message),
    connection: headers["x-connection"],
  }));
}

const VARIANTS: readonly [OtlpProtocol, "gzip" | "none"][] = [
  ["http/protobuf", "none"],
  ["http/protobuf", "gzip"],
  ["http/json", "none"],
  ["http/json", "gzip"],
];

test.each(VARIANTS)("%s passes unchanged, compression %s", async (protocol, compression) => {
  const { endpoint, receiver } = await serveBehindNginx();
  const destination = await openDestination({ endpoint, protocol, compression });
  const requests = [1, 300, 3000].map((count) => encode(destination, makeSpans(count)));

  for (const request of requests) {
    expect(await destination.send(request, TIMEOUT_MS)).toMatchObject({ status: "success" });
  }

  expect(callsOf(receiver).map((call) => call.sha256)).toEqual(requests.map(sha256));
  expect(receiver.spans()).toHaveLength(3301);
});

test("nginx's TLS is trusted by its authority", async () => {
  const { endpoint } = await serveBehindNginx(tlsDirectives(), "ssl");
  const caFile = writeTemporary("ca.pem", authority.cert);
  const trusting = await openDestination({ ...HTTP, endpoint, caFile });
  const wary = await openDestination({ ...HTTP, endpoint });
  const request = encode(trusting, makeSpans(1));

  expect(await trusting.send(request, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await wary.send(request, 300)).toMatchObject({ status: "retryable", answerLost: false });
});

test("nginx asks for the client's certificate and says so when there is none", async () => {
  const caFile = writeTemporary("ca.pem", authority.cert);
  const verify = `${tlsDirectives()} ssl_client_certificate ${caFile}; ssl_verify_client on;`;
  const { endpoint } = await serveBehindNginx(verify, "ssl");
  const identity = clientFiles(authority.issue({ usage: "client" }));
  const known = await openDestination({ ...HTTP, endpoint, caFile, ...identity });
  const unknown = await openDestination({ ...HTTP, endpoint, caFile });
  const request = encode(known, makeSpans(1));

  expect(await known.send(request, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await unknown.send(request, TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message: "HTTP 400" },
  });
});

test("a request beyond nginx's limit fails for good, and the next one passes", async () => {
  const { endpoint, receiver } = await serveBehindNginx();
  const destination = await openDestination({ ...HTTP, endpoint });

  expect(await destination.send(Buffer.alloc(6_000_000), TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message: "HTTP 413" },
  });
  const request = encode(destination, makeSpans(1));
  expect(await destination.send(request, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(receiver.requests()).toHaveLength(1);
});

test("requests that nginx limits the rate of get through when it says so", async () => {
  const limit = `limit_req zone=requests; limit_req_status 429; add_header Retry-After 1 always;`;
  const { endpoint, receiver } = await serveBehindNginx(limit);
  const destination = await openDestination({ ...HTTP, endpoint });
  const send = (timeoutMs: number) =>
    destination.send(encode(destination, makeSpans(1)), timeoutMs);

  expect(await send(TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await send(500)).toMatchObject({
    status: "retryable",
    retryInMillis: 1000,
    error: { message: "HTTP 429" },
  });
  expect(await send(TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(receiver.requests()).toHaveLength(2);
});

test("a collector that is away behind nginx leaves the spans for later", async () => {
  const { endpoint, receiver } = await serveBehindNginx();
  const destination = await openDestination({ ...HTTP, endpoint });
  const request = encode(destination, makeSpans(1));
  await receiver.close();

  expect(await destination.send(request, 300)).toMatchObject({
    status: "retryable",
    error: { message: "HTTP 502" },
  });
});

test("a request that nginx gave up waiting for may have been taken, and counts so", async () => {
  let calls = 0;
  const slowOnce = createServer((request, response) => {
    request.resume();
    setTimeout(() => response.end(), calls++ === 0 ? 500 : 0);
  });
  slowOnce.listen(0, "127.0.0.1");
  await once(slowOnce, "listening");
  onTestFinished(() => {
    slowOnce.close();
  });
  const { port } = slowOnce.address() as AddressInfo;
  const nginx = await startNginx("", {
    http: "proxy_read_timeout 150ms;",
    server: `location / { proxy_pass http://127.0.0.1:${port}; }`,
  });
  const endpoint = `http://localhost:${nginx.port}/v1/traces`;
  const destination = await openDestination({ ...HTTP, endpoint });

  const outcome = await destination.send(encode(destination, makeSpans(1)), TIMEOUT_MS);

  expect(calls).toBe(2);
  expect(outcome).toMatchObject({ status: "success", resends: 1 });
});

test("connections that nginx closes after five requests are replaced, nothing lost or doubled", async () => {
  const { endpoint, receiver } = await serveBehindNginx("keepalive_requests 5;");
  const destination = await openDestination({ ...HTTP, endpoint });

  const burst = startBurst(destination, LANES);
  await burst.reach(200);
  const requests = await burst.end();

  const calls = callsOf(receiver);
  expectServedOnce(requests, calls, "sha256");
  const connections = new Set(calls.map(({ connection }) => connection));
  expect(connections.size).toBeGreaterThanOrEqual(requests.length / 5);
});

test("connections that nginx closes just when the next request comes lose nothing", async () => {
  const { endpoint, receiver } = await serveBehindNginx("keepalive_timeout 20ms;");
  const destination = await openDestination({ ...HTTP, endpoint });
  const requests = [];

  for (let pauseMs = 10; pauseMs < 30; pauseMs += 0.5) {
    requests.push(await sendOne(destination));
    await sleep(pauseMs);
  }

  expectServed(requests, callsOf(receiver), "sha256");
});

test("reloads of nginx under way lose nothing and count what they may double", async () => {
  const { endpoint, nginx, receiver } = await serveBehindNginx();
  const destination = await openDestination({ ...HTTP, endpoint });

  const burst = startBurst(destination, LANES);
  for (let n = 0; n < 5; n++) {
    await burst.reach(50);
    await nginx.reload();
  }
  await burst.reach(50);

  expectServed(await burst.end(), callsOf(receiver), "sha256");
});

test("a hard restart of nginx under way loses nothing and counts what it may double", async () => {
  const { endpoint, nginx, receiver } = await serveBehindNginx();
  const destination = await openDestination({ ...HTTP, endpoint });

  const burst = startBurst(destination, LANES);
  await burst.reach(50);
  await nginx.terminate();
  await nginx.start();
  await burst.reach(50);

  expectServed(await burst.end(), callsOf(receiver), "sha256");
});
