import { expect, test } from "vitest";
import { openDestination } from "../export/support/open-destination.ts";
import { createAuthority } from "../support/certificates.ts";
import { serveWith } from "./grpc-suite/serve.ts";
import { expectServed, expectServedOnce, startBurst } from "./support/burst.ts";
import { startGrpcCoreServer } from "./support/grpc-core-server.ts";
import { asking, sha256 } from "./support/grpc-peer.ts";
import { startNginx } from "./support/nginx.ts";
import { encode, makeSpans } from "./support/spans.ts";
import { clientFiles, writeTemporary } from "./support/temporary.ts";

const TIMEOUT_MS = 8000;
const LANES = 4;
const REQUEST = Buffer.from("spans");

/** nginx takes 1 MB by default; whoever puts it before a collector has to say more. */
const BODY_LIMIT = "client_max_body_size 5m;";

const authority = createAuthority();
const certificate = authority.issue({ usage: "server" });
const serve = serveWith(startGrpcCoreServer);

async function serveBehindNginx(directives = "", listen = "http2") {
  const upstream = await serve();
  const nginx = await startNginx(listen, {
    http: `upstream collector { server 127.0.0.1:${upstream.port}; keepalive 8; }
      limit_req_zone $request_method zone=requests:1m rate=1r/s;`,
    server: `${BODY_LIMIT} ${directives}
      location / { grpc_pass grpc://collector; grpc_set_header x-connection $connection; }`,
  });
  const scheme = listen.includes("ssl") ? "https" : "http";
  return { upstream, nginx, endpoint: `${scheme}://localhost:${nginx.port}` };
}

function tlsDirectives(): string {
  return `ssl_certificate ${writeTemporary("server.pem", certificate.cert)};
    ssl_certificate_key ${writeTemporary("server.key", certificate.key)};`;
}

test.each(["none", "gzip"] as const)(
  "requests pass unchanged, compression %s",
  async (compression) => {
    const { endpoint, upstream } = await serveBehindNginx();
    const destination = await openDestination({ endpoint, compression });
    const requests = [1, 300, 3000].map((count) => encode(destination, makeSpans(count)));

    for (const request of requests) {
      expect(await destination.send(request, TIMEOUT_MS)).toMatchObject({ status: "success" });
    }

    expect((await upstream.calls()).map((call) => call.sha256)).toEqual(requests.map(sha256));
  },
);

test("the largest requests pass, several at once", async () => {
  const { endpoint, upstream } = await serveBehindNginx();
  const destination = await openDestination({ endpoint });
  const requests = [1, 2, 3, 4].map((fill) => Buffer.alloc(destination.maxRequestBytes, fill));

  const outcomes = await Promise.all(
    requests.map((request) => destination.send(request, TIMEOUT_MS)),
  );

  expect(outcomes.map(({ status }) => status)).toEqual(requests.map(() => "success"));
  expect(await upstream.calls()).toHaveLength(requests.length);
});

test("a status behind nginx is read as if it were not there", async () => {
  const { endpoint } = await serveBehindNginx();
  const destination = await openDestination({
    endpoint,
    headers: asking({ status: 16, text: "größe" }),
  });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message: "UNAUTHENTICATED: größe" },
  });
});

test("nginx's TLS is trusted by its authority", async () => {
  const { endpoint } = await serveBehindNginx(tlsDirectives(), "ssl http2");
  const caFile = writeTemporary("ca.pem", authority.cert);
  const trusting = await openDestination({ endpoint, caFile });
  const wary = await openDestination({ endpoint });

  expect(await trusting.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await wary.send(REQUEST, 300)).toMatchObject({ status: "retryable", answerLost: false });
});

test("nginx asks for the client's certificate and says so when there is none", async () => {
  const caFile = writeTemporary("ca.pem", authority.cert);
  const verify = `${tlsDirectives()} ssl_client_certificate ${caFile}; ssl_verify_client on;`;
  const { endpoint } = await serveBehindNginx(verify, "ssl http2");
  const identity = clientFiles(authority.issue({ usage: "client" }));
  const known = await openDestination({ endpoint, caFile, ...identity });
  const unknown = await openDestination({ endpoint, caFile });

  expect(await known.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await unknown.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message: expect.stringMatching(/HTTP 400/) },
  });
});

test("a request beyond nginx's limit fails for good, and the next one passes", async () => {
  const { endpoint, upstream } = await serveBehindNginx();
  const destination = await openDestination({ endpoint });

  expect(await destination.send(Buffer.alloc(6_000_000), TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message: expect.stringMatching(/HTTP 413/) },
  });
  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await upstream.calls()).toHaveLength(1);
});

test("requests that nginx limits the rate of get through later", async () => {
  const { endpoint, upstream } = await serveBehindNginx("limit_req zone=requests;");
  const destination = await openDestination({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await destination.send(REQUEST, 300)).toMatchObject({
    status: "retryable",
    error: { message: expect.stringMatching(/HTTP 503/) },
  });
  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await upstream.calls()).toHaveLength(2);
});

test("a collector that is away behind nginx gets its spans when it is back", async () => {
  const { endpoint, upstream } = await serveBehindNginx();
  const destination = await openDestination({ endpoint });
  await upstream.kill();

  const away = await destination.send(REQUEST, 300);
  const sending = destination.send(REQUEST, TIMEOUT_MS);
  const successor = await serve({ port: upstream.port });

  expect(away).toMatchObject({
    status: "retryable",
    error: { message: expect.stringMatching(/HTTP 502/) },
  });
  expect(await sending).toMatchObject({ status: "success" });
  expect(await successor.calls()).toHaveLength(1);
});

test("a request that nginx gave up waiting for may have been taken, and counts so", async () => {
  const { endpoint, upstream } = await serveBehindNginx("grpc_read_timeout 150ms;");
  const headers = asking({ delayMs: 500, times: 1 });
  const destination = await openDestination({ endpoint, headers });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(await upstream.calls()).toHaveLength(2);
  expect(outcome).toMatchObject({ status: "success", resends: 1 });
});

test("a connection that nginx closes after five requests is replaced, nothing lost or doubled", async () => {
  const { endpoint, upstream } = await serveBehindNginx("keepalive_requests 5;");
  const destination = await openDestination({ endpoint });

  const burst = startBurst(destination, LANES);
  await burst.reach(200);
  const requests = await burst.end();

  const calls = await upstream.calls();
  expectServedOnce(requests, calls, "sha256");
  const connections = new Set(calls.map(({ metadata }) => metadata["x-connection"]));
  expect(connections.size).toBeGreaterThanOrEqual(requests.length / 5);
});

test("reloads of nginx under way lose and double nothing", async () => {
  const { endpoint, nginx, upstream } = await serveBehindNginx();
  const destination = await openDestination({ endpoint, headers: asking({ delayMs: 20 }) });

  const burst = startBurst(destination, LANES);
  for (let n = 0; n < 5; n++) {
    await burst.reach(20);
    await nginx.reload();
  }
  await burst.reach(20);

  expectServedOnce(await burst.end(), await upstream.calls(), "sha256");
});

test("a graceful restart of nginx under way loses and doubles nothing", async () => {
  const { endpoint, nginx, upstream } = await serveBehindNginx();
  const destination = await openDestination({ endpoint, headers: asking({ delayMs: 20 }) });

  const burst = startBurst(destination, LANES);
  await burst.reach(20);
  await nginx.quit();
  await nginx.start();
  await burst.reach(20);

  expectServedOnce(await burst.end(), await upstream.calls(), "sha256");
});

test("a hard restart of nginx under way loses nothing and counts what it may double", async () => {
  const { endpoint, nginx, upstream } = await serveBehindNginx();
  const destination = await openDestination({ endpoint, headers: asking({ delayMs: 20 }) });

  const burst = startBurst(destination, LANES);
  await burst.reach(20);
  await nginx.terminate();
  await nginx.start();
  await burst.reach(20);

  expectServed(await burst.end(), await upstream.calls(), "sha256");
});
