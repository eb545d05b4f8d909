import { expect, onTestFinished, test } from "vitest";
import type { OtlpConfig } from "../../src/config.ts";
import { freeze, passTimeUntil, settle, stopClock, stopDate } from "./support/clock.ts";
import { captureDiagnostics } from "./support/diagnostics.ts";
import { serveHttp } from "./support/http-server.ts";
import { openDestination } from "./support/open-destination.ts";
import { field, partialSuccess } from "./support/protobuf.ts";
import { startTcpServer } from "./support/raw-http2.ts";
import { startRelay } from "./support/relay.ts";

const REQUEST = Buffer.from("spans, as far as the transport cares");
/** Never waited for: far above what any answer takes on a busy machine. */
const TIMEOUT_MS = 15_000;

function open(own: Partial<OtlpConfig> & Pick<OtlpConfig, "endpoint">) {
  return openDestination({ protocol: "http/protobuf", ...own });
}

test("a request is posted to the endpoint as it is configured", async () => {
  const { port, calls } = await serveHttp();
  const endpoint = `http://me:p%40ss@127.0.0.1:${port}/base/v1/traces?tenant=1`;
  const destination = await open({ endpoint, headers: { "X-Team": "shop" } });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });

  expect(calls[0]).toMatchObject({
    method: "POST",
    url: "/base/v1/traces?tenant=1",
    body: REQUEST,
    headers: {
      host: `127.0.0.1:${port}`,
      authorization: `Basic ${Buffer.from("me:p@ss").toString("base64")}`,
      "x-team": "shop",
      "content-type": "application/x-protobuf",
      "content-length": String(REQUEST.length),
      "user-agent": expect.stringMatching(/^coldspan\/\S+ OTel-OTLP-Exporter-JavaScript\/\S+$/),
    },
  });
  expect(destination.name).toBe(`otlp/http/protobuf 127.0.0.1:${port}`);
});

test("a body is compressed when gzip is configured", async () => {
  const { endpoint, calls } = await serveHttp();
  const destination = await open({ endpoint, compression: "gzip" });
  const request = Buffer.alloc(100_000, "spans");

  expect(await destination.send(request, TIMEOUT_MS)).toMatchObject({ status: "success" });

  expect(calls[0]?.headers["content-encoding"]).toBe("gzip");
  expect(Number(calls[0]?.headers["content-length"])).toBeLessThan(10_000);
  expect(calls[0]?.body).toEqual(request);
});

test("requests in turn share one connection, opened ahead when asked", async () => {
  const { endpoint, connections } = await serveHttp();
  const destination = await open({ endpoint });
  destination.connect?.();
  destination.connect?.();

  for (let turn = 0; turn < 3; turn++) await destination.send(REQUEST, TIMEOUT_MS);
  destination.connect?.();
  await destination.send(REQUEST, TIMEOUT_MS);

  expect(connections).toHaveLength(1);
});

test.each([
  [429, undefined],
  [502, 1],
  [503, undefined],
  [504, 1],
])("HTTP %i is tried again, resends: %s", async (status, resends) => {
  const { endpoint, calls } = await serveHttp(({ response }, index) => {
    response.writeHead(index === 0 ? status : 200).end();
  });
  const destination = await open({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(outcome.resends).toBe(resends);
  expect(calls).toHaveLength(2);
});

test.each([301, 400, 401, 403, 404, 408, 413, 500, 501])(
  "HTTP %i fails for good at once",
  async (status) => {
    const { endpoint, calls } = await serveHttp(({ response }) => response.writeHead(status).end());
    const destination = await open({ endpoint });

    expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
      status: "failure",
      error: { message: `HTTP ${status}` },
    });
    expect(calls).toHaveLength(1);
  },
);

test.each([
  ["in seconds", () => "20", 20_000],
  ["as a date", () => new Date(Date.now() + 20_000).toUTCString(), 20_000],
  ["for years", () => "99999999999", 24 * 60 * 60 * 1000],
])(
  "Retry-After %s is handed back when it reaches beyond the deadline",
  async (_how, make, wait) => {
    const { endpoint } = await serveHttp(({ response }) => {
      response.writeHead(503, { "retry-after": make() }).end();
    });
    const destination = await open({ endpoint });

    const outcome = await destination.send(REQUEST, TIMEOUT_MS);

    expect(outcome).toMatchObject({ status: "retryable", answerLost: false });
    const { retryInMillis = -1 } = outcome as { retryInMillis?: number };
    expect(retryInMillis).toBeLessThanOrEqual(wait);
    expect(retryInMillis).toBeGreaterThanOrEqual(wait - 2000);
  },
);

test.each([
  ["neither seconds nor a date", "soon"],
  ["in the past", new Date(0).toUTCString()],
])("a Retry-After that is %s delays nothing", async (_how, value) => {
  const { endpoint, calls } = await serveHttp(({ response }, index) => {
    response.writeHead(index === 0 ? 429 : 200, { "retry-after": value }).end();
  });
  const destination = await open({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(calls).toHaveLength(2);
});

test.each([
  ["application/x-protobuf", partialSuccess(2, "too old")],
  [
    "application/json; charset=utf-8",
    JSON.stringify({ partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } }),
  ],
])("rejected spans in %s are reported and not sent again", async (contentType, body) => {
  const lines = captureDiagnostics();
  const { endpoint, calls } = await serveHttp(({ response }) => {
    response.writeHead(200, { "content-type": contentType }).end(body);
  });
  const destination = await open({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "success",
    rejectedSpans: 2,
  });
  expect(lines).toEqual([expect.stringMatching(/refused 2 spans: too old/)]);
  expect(calls).toHaveLength(1);
});

test.each([
  ["application/x-protobuf", Buffer.concat([field(1, 3), field(2, "no field k3y-0123456789")])],
  ["application/json", JSON.stringify({ code: 3, message: "no field k3y-0123456789" })],
  ["text/plain; charset=utf-8", "no field k3y-0123456789\n"],
])("the reason of a refusal is read from %s, without the request's secrets", async (type, body) => {
  const { endpoint } = await serveHttp(({ response }) => {
    response.writeHead(400, { "content-type": type }).end(body);
  });
  const destination = await open({ endpoint, headers: { "api-key": "k3y-0123456789" } });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message: "HTTP 400: no field ***" },
  });
});

test.each(["{", "[]", "null", '{"message":1}', '{"partialSuccess":7}'])(
  "the JSON %s in an answer does no harm",
  async (body) => {
    const { endpoint } = await serveHttp(({ response }, index) => {
      response.writeHead(index === 0 ? 200 : 400, { "content-type": "application/json" }).end(body);
    });
    const destination = await open({ endpoint });

    expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
    expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "failure" });
  },
);

test("a status is an answer even when its body is cut off or without end", async () => {
  const { endpoint, calls, connections } = await serveHttp(({ response }, index) => {
    if (index === 0) {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => connections[0]?.destroy());
    } else {
      response.writeHead(200).end(Buffer.alloc(5 * 1024 * 1024));
    }
  });
  const destination = await open({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(calls).toHaveLength(2);
});

test("an answer whose headers are too large to be read fails for good", async () => {
  const { endpoint, calls } = await serveHttp(({ response }) => {
    response.writeHead(200, { large: "x".repeat(100_000) }).end();
  });
  const destination = await open({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toEqual({
    status: "failure",
    error: new Error("The answer's headers are too large (Parse Error: Header overflow)"),
  });
  expect(calls).toHaveLength(1);
});

test("a connection that ends with the answer outstanding is a lost answer: sent again, counted", async () => {
  const { endpoint, connections } = await serveHttp(({ response }, index) => {
    if (index === 0) connections[0]?.destroy();
    else response.end();
  });
  const destination = await open({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "success",
    resends: 1,
  });
});

/** Shorter than the first wait between two tries, so that only a try without one succeeds. */
const LESS_THAN_A_WAIT_MS = 120;

test("an idle connection that the server closed just now costs no wait", async () => {
  const { endpoint, connections, calls } = await serveHttp();
  const destination = await open({ endpoint });
  await destination.send(REQUEST, TIMEOUT_MS);

  // What the tries take on a busy machine does not count, a wait does.
  stopClock();
  // No turn of the event loop lies between the end of the connection and the next request.
  connections[0]?.resetAndDestroy();
  const outcome = await destination.send(REQUEST, LESS_THAN_A_WAIT_MS);

  expect(outcome.status).toBe("success");
  expect(calls).toHaveLength(2);
});

test("garbage leaves the spans for later", async () => {
  stopClock();
  const endpoint = await startTcpServer((socket) => {
    socket.once("data", () => socket.end(Buffer.alloc(64, 0xff)));
  });
  const destination = await open({ endpoint: `${endpoint}/v1/traces` });

  expect(await passTimeUntil(destination.send(REQUEST, 1000))).toMatchObject({
    status: "retryable",
    answerLost: true,
  });
});

test("a black hole holds a send no longer than its bound", async () => {
  stopClock();
  const endpoint = await startTcpServer(() => undefined);
  const destination = await open({ endpoint: `${endpoint}/v1/traces` });

  expect(await passTimeUntil(destination.send(REQUEST, 1000))).toMatchObject({
    status: "retryable",
    answerLost: true,
    error: { message: expect.stringMatching(/^No answer within \d+ ms$/) },
  });
});

test("a request too large for the connection's buffers that never ends is surely not taken", async () => {
  const endpoint = await startTcpServer((socket) => socket.pause());
  const destination = await open({ endpoint: `${endpoint}/v1/traces` });

  expect(await destination.send(Buffer.alloc(30_000_000), 1000)).toMatchObject({
    status: "retryable",
    answerLost: false,
  });
});

test("a refused connection surely loses nothing", async () => {
  stopClock();
  const { endpoint, close } = await serveHttp();
  await close();
  const destination = await open({ endpoint });

  expect(await passTimeUntil(destination.send(REQUEST, 1000))).toMatchObject({
    status: "retryable",
    answerLost: false,
    error: { message: expect.stringMatching(/ECONNREFUSED/) },
  });
});

test("connections that died silently in a freeze are not used again", async () => {
  stopDate();
  const { port, calls } = await serveHttp();
  const relay = await startRelay(port);
  onTestFinished(() => relay.close());
  const destination = await open({ endpoint: `http://127.0.0.1:${relay.port}/v1/traces` });
  await destination.send(REQUEST, TIMEOUT_MS);

  relay.silence();
  await freeze(1100);
  destination.wake?.();
  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(outcome).not.toHaveProperty("resends");
  expect(calls).toHaveLength(2);
  expect(relay.connections).toHaveLength(2);
});

test("invocations in quick succession keep their connection; idle ones open none", async () => {
  stopDate();
  const { endpoint, connections } = await serveHttp();
  const destination = await open({ endpoint });
  for (let invocation = 0; invocation < 3; invocation++) {
    destination.wake?.();
    await destination.send(REQUEST, TIMEOUT_MS);
  }
  expect(connections).toHaveLength(1);

  for (let invocation = 0; invocation < 3; invocation++) {
    await freeze(1100);
    destination.wake?.();
  }
  await settle();
  // One was opened for the first of the three, in the hope that it would send something too.
  expect(connections).toHaveLength(2);
});

test("an endpoint that is no URL fails each send with one clear line", async () => {
  const lines = captureDiagnostics();
  const destination = await open({ endpoint: "ftp://me:secret@collector/v1/traces" });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "failure" });
  expect(lines).toEqual([
    'the otlp/http/protobuf exporter cannot start: Expected an OTLP/HTTP endpoint as http(s)://host:port/path, got "ftp://collector/v1/traces"',
  ]);
});

test("shutdown cuts what is under way", async () => {
  const { endpoint, calls } = await serveHttp(() => undefined);
  const destination = await open({ endpoint, timeoutMs: 60_000 });
  const sending = destination.send(REQUEST, 60_000);
  await expect.poll(() => calls).toHaveLength(1);

  destination.shutdown();

  expect(await sending).toMatchObject({ status: "retryable", answerLost: true });
  expect(await destination.send(REQUEST, 60_000)).toMatchObject({
    status: "retryable",
    answerLost: false,
  });
});
