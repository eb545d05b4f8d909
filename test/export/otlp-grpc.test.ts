import { Server as GrpcJsServer, type Server as RpcServer, ServerCredentials } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { captureDiagnostics } from "./support/diagnostics.ts";
import { answerCall, frame, refuseCall } from "./support/grpc-server.ts";
import { openDestination, serveGrpc } from "./support/open-destination.ts";
import { partialSuccess, statusWithRetryInfo } from "./support/protobuf.ts";

const REQUEST = Buffer.from("spans, as far as the transport cares");
/** Never waited for: far above what any answer takes on a busy machine. */
const TIMEOUT_MS = 15_000;
/** Below the waits that servers here ask for, above all waits of the client's own. */
const PATIENCE_MS = 20_000;

test("a request reaches the trace service with the headers gRPC asks for", async () => {
  const { endpoint, calls } = await serveGrpc();
  const destination = await openDestination({
    endpoint,
    headers: { Authorization: "Bearer t", host: "x" },
  });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });

  expect(calls[0]?.message).toEqual(REQUEST);
  expect(calls[0]?.headers).toMatchObject({
    ":method": "POST",
    ":path": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    ":scheme": "http",
    ":authority": endpoint.slice("http://".length),
    authorization: "Bearer t",
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-timeout": expect.stringMatching(/^\d{1,8}m$/),
    "user-agent": expect.stringMatching(/^coldspan\/\S+ OTel-OTLP-Exporter-JavaScript\/\S+$/),
  });
  expect(calls[0]?.headers.host).toBeUndefined();
  expect(destination.name).toBe(`otlp/grpc ${endpoint.slice("http://".length)}`);
});

test("requests share one connection, opened ahead when asked", async () => {
  const { endpoint, connections } = await serveGrpc();
  const destination = await openDestination({ endpoint });
  destination.connect?.();

  await Promise.all([1, 2, 3].map(() => destination.send(REQUEST, TIMEOUT_MS)));
  await destination.send(REQUEST, TIMEOUT_MS);

  expect(connections).toHaveLength(1);
});

test("several requests of the largest size go out at once", async () => {
  const { endpoint, calls } = await serveGrpc();
  const destination = await openDestination({ endpoint });
  const request = Buffer.alloc(destination.maxRequestBytes, "spans");

  const outcomes = await Promise.all(
    [1, 2, 3, 4, 5, 6].map(() => destination.send(request, 20_000)),
  );

  expect(outcomes.map(({ status }) => status)).toEqual(Array(6).fill("success"));
  expect(calls.map(({ message }) => message.length)).toEqual(Array(6).fill(request.length));
});

test("the deadline on the wire is the shorter of the flush's and the exporter's", async () => {
  const { endpoint, calls } = await serveGrpc();
  const destination = await openDestination({ endpoint, timeoutMs: 30_000 });

  await destination.send(REQUEST, 60_000);
  await destination.send(REQUEST, 20_000);
  await destination.send(REQUEST, Number.POSITIVE_INFINITY);

  const timeouts = calls.map(({ headers }) => Number.parseInt(String(headers["grpc-timeout"]), 10));
  expect(timeouts[0]).toBeGreaterThan(20_000);
  expect(timeouts[0]).toBeLessThanOrEqual(30_000);
  expect(timeouts[1]).toBeLessThanOrEqual(20_000);
  expect(timeouts[2]).toBeLessThanOrEqual(30_000);
});

test("a message is compressed when gzip is configured, and says so", async () => {
  const { endpoint, calls } = await serveGrpc();
  const destination = await openDestination({ endpoint, compression: "gzip" });
  const request = Buffer.alloc(100_000, "spans");

  expect(await destination.send(request, TIMEOUT_MS)).toMatchObject({ status: "success" });

  expect(calls[0]?.isCompressed).toBe(true);
  expect(calls[0]?.headers["grpc-encoding"]).toBe("gzip");
  expect(calls[0]?.message).toEqual(request);
});

test("the largest requests, several at once, are each sent once", async () => {
  const { endpoint, calls } = await serveGrpc();
  const destination = await openDestination({ endpoint });
  const requests = [1, 2, 3, 4].map((fill) => Buffer.alloc(destination.maxRequestBytes, fill));

  const outcomes = await Promise.all(
    requests.map((request) => destination.send(request, TIMEOUT_MS)),
  );

  expect(outcomes.map(({ status, resends }) => ({ status, resends }))).toEqual(
    requests.map(() => ({ status: "success", resends: undefined })),
  );
  expect(calls.map(({ message }) => message[0]).sort()).toEqual([1, 2, 3, 4]);
});

test("a headers function is called for each export", async () => {
  const { endpoint, calls } = await serveGrpc();
  let turn = 0;
  const headers = async () => ({ authorization: `Bearer ${++turn}` });
  const destination = await openDestination({ endpoint, headers });

  await destination.send(REQUEST, TIMEOUT_MS);
  await destination.send(REQUEST, TIMEOUT_MS);

  expect(calls.map((call) => call.headers.authorization)).toEqual(["Bearer 1", "Bearer 2"]);
});

test("the blanks around a header's value are left out, as of a token read from a file", async () => {
  const { endpoint, calls } = await serveGrpc();
  const destination = await openDestination({
    endpoint,
    headers: { authorization: " Bearer t\n" },
  });

  await destination.send(REQUEST, TIMEOUT_MS);

  expect(calls[0]?.headers.authorization).toBe("Bearer t");
});

test("a headers function that fails or hangs leaves the spans for later and its secrets unsaid", async () => {
  const { endpoint, calls } = await serveGrpc();
  const failing = await openDestination({
    endpoint,
    headers: () => {
      throw new RangeError("refresh token s3cr3t expired");
    },
  });
  const hanging = await openDestination({ endpoint, headers: () => new Promise(() => undefined) });

  const failed = await failing.send(REQUEST, TIMEOUT_MS);
  const hung = await hanging.send(REQUEST, 50);

  expect(failed).toMatchObject({ status: "retryable", answerLost: false });
  expect(String(failed.status === "retryable" && failed.error)).toMatch(
    /headers function.*RangeError/,
  );
  expect(String(failed.status === "retryable" && failed.error)).not.toContain("s3cr3t");
  expect(hung).toMatchObject({ status: "retryable", answerLost: false });
  expect(calls).toHaveLength(0);
});

test("a header that HTTP does not allow fails for good without being quoted", async () => {
  const { endpoint, calls } = await serveGrpc();
  const destination = await openDestination({
    endpoint,
    headers: { authorization: "s3cr3t\nvalue" },
  });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("failure");
  expect(outcome.status === "failure" && outcome.error.message).toContain("authorization");
  expect(outcome.status === "failure" && outcome.error.message).not.toContain("s3cr3t");
  expect(calls).toHaveLength(0);
});

test.each([
  [1, "CANCELLED"],
  [10, "ABORTED"],
  [11, "OUT_OF_RANGE"],
  [14, "UNAVAILABLE"],
  [15, "DATA_LOSS"],
])("status %i %s is tried again, and handed back at last", async (status, name) => {
  const details = statusWithRetryInfo(30);
  const { endpoint, calls } = await serveGrpc((call, index) =>
    // A wait beyond the deadline ends the tries wherever a busy machine has come to by then.
    answerCall(call, { status, message: "busy", ...(index < 2 ? {} : { details }) }),
  );
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, PATIENCE_MS);

  expect(outcome).toMatchObject({ status: "retryable", answerLost: false });
  expect(outcome.status === "retryable" && outcome.error.message).toBe(`${name}: busy`);
  expect(outcome).not.toHaveProperty("resends");
  expect(calls).toHaveLength(3);
});

test("a busy server is asked again until the time is up", async () => {
  const { endpoint, calls } = await serveGrpc((call) => answerCall(call, { status: 14 }));
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, 1500);

  expect(outcome.status).toBe("retryable");
  expect(calls.length).toBeGreaterThan(1);
});

test("status 4 DEADLINE_EXCEEDED is tried again, and counted: the spans may have been taken", async () => {
  const { endpoint, calls } = await serveGrpc((call, index) =>
    answerCall(call, { status: index === 0 ? 4 : 0 }),
  );
  const destination = await openDestination({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "success",
    resends: 1,
  });
  expect(calls).toHaveLength(2);
});

test.each([
  [2, "UNKNOWN"],
  [3, "INVALID_ARGUMENT"],
  [5, "NOT_FOUND"],
  [6, "ALREADY_EXISTS"],
  [7, "PERMISSION_DENIED"],
  [8, "RESOURCE_EXHAUSTED"],
  [9, "FAILED_PRECONDITION"],
  [12, "UNIMPLEMENTED"],
  [13, "INTERNAL"],
  [16, "UNAUTHENTICATED"],
  [99, "UNKNOWN"],
])("status %i %s fails for good at once", async (status, name) => {
  const { endpoint, calls } = await serveGrpc((call) => refuseCall(call, { status }));
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome).toMatchObject({ status: "failure" });
  expect(outcome.status === "failure" && outcome.error.message).toBe(name);
  expect(calls).toHaveLength(1);
});

test("a request that is refused once and then taken succeeds", async () => {
  const { endpoint, calls } = await serveGrpc((call, index) =>
    answerCall(call, { status: index === 0 ? 14 : 0 }),
  );
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(outcome).not.toHaveProperty("resends");
  expect(calls).toHaveLength(2);
});

test.each([8, 14])(
  "status %i with RetryInfo is tried again after the server's wait",
  async (status) => {
    const details = statusWithRetryInfo(0, 150_000_000);
    const { endpoint, calls } = await serveGrpc((call, index) =>
      index === 0 ? refuseCall(call, { status, details }) : answerCall(call),
    );
    const destination = await openDestination({ endpoint });

    expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
    expect(calls).toHaveLength(2);
  },
);

test("a wait beyond the deadline is not begun but handed back", async () => {
  const details = statusWithRetryInfo(30);
  const { endpoint, calls } = await serveGrpc((call) => answerCall(call, { status: 8, details }));
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, PATIENCE_MS);

  expect(outcome).toMatchObject({ status: "retryable", retryInMillis: 30_000, answerLost: false });
  expect(outcome.status === "retryable" && outcome.error.message).toBe(
    "RESOURCE_EXHAUSTED: come back later",
  );
  expect(calls).toHaveLength(1);
});

test("rejected spans are reported and not sent again", async () => {
  const lines = captureDiagnostics();
  const body = frame(partialSuccess(3, "too old"));
  const { endpoint, calls } = await serveGrpc((call) => answerCall(call, { body }));
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome).toMatchObject({ status: "success", rejectedSpans: 3 });
  expect(lines).toEqual([expect.stringMatching(/refused 3 spans: too old/)]);
  expect(calls).toHaveLength(1);
});

test("a warning beside a whole success is only a warning", async () => {
  const lines = captureDiagnostics();
  const body = frame(partialSuccess(0, "use the new endpoint"));
  const { endpoint } = await serveGrpc((call) => answerCall(call, { body }));
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(outcome).not.toHaveProperty("rejectedSpans");
  expect(lines).toEqual([expect.stringMatching(/warns: use the new endpoint/)]);
});

test("a status message is percent-decoded, put on one line, and stripped of the request's secrets", async () => {
  const message = "no%20%C3%BCser%20for%20k3y-0123456789%0Aevil log line 100%";
  const { endpoint } = await serveGrpc((call) => refuseCall(call, { status: 16, message }));
  const destination = await openDestination({
    endpoint,
    headers: { authorization: "Bearer k3y-0123456789" },
  });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status === "failure" && outcome.error.message).toBe(
    "UNAUTHENTICATED: no üser for *** evil log line 100%",
  );
});

test.each([
  [400, "failure", "INTERNAL"],
  [401, "failure", "UNAUTHENTICATED"],
  [403, "failure", "PERMISSION_DENIED"],
  [404, "failure", "UNIMPLEMENTED"],
  [429, "retryable", "UNAVAILABLE"],
  [500, "failure", "UNKNOWN"],
  [502, "retryable", "UNAVAILABLE"],
  [503, "retryable", "UNAVAILABLE"],
  [504, "retryable", "UNAVAILABLE"],
  [200, "failure", "UNKNOWN"],
])("HTTP %i without a grpc-status is a %s", async (httpStatus, status, name) => {
  const { endpoint } = await serveGrpc(({ stream }, index) => {
    if (index > 0) return destination.shutdown();
    stream.respond({ ":status": httpStatus, "content-type": "text/html" });
    stream.end("<h1>proxy</h1>");
  });
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe(status);
  expect(outcome.status !== "success" && outcome.error.message).toBe(
    `${name}: HTTP ${httpStatus}, text/html, no grpc-status`,
  );
});

test.each([
  [429, false],
  [502, true],
  [503, false],
  [504, true],
])("after HTTP %i the spans may have been taken: %s", async (httpStatus, answerLost) => {
  const details = statusWithRetryInfo(30);
  const { endpoint } = await serveGrpc((call, index) => {
    if (index > 0) return refuseCall(call, { status: 8, details });
    call.stream.respond({ ":status": httpStatus }, { endStream: true });
  });
  const destination = await openDestination({ endpoint });

  expect(await destination.send(REQUEST, PATIENCE_MS)).toMatchObject({
    status: "retryable",
    answerLost,
  });
});

test("grpc-js serves the same request", async () => {
  const received: Buffer[] = [];
  const server = new GrpcJsServer();
  addTraceService(server, (message) => received.push(message));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  onTestFinished(() => server.forceShutdown());
  const plain = await openDestination({ endpoint: `127.0.0.1:${port}`, insecure: true });
  const gzip = await openDestination({ endpoint: `http://127.0.0.1:${port}`, compression: "gzip" });
  const large = Buffer.alloc(3_900_000, "large");

  expect(await plain.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await gzip.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await plain.send(large, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await plain.send(Buffer.alloc(4_300_000), TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message: expect.stringMatching(/^RESOURCE_EXHAUSTED/) },
  });

  expect(received.map((message) => message.length)).toEqual([
    REQUEST.length,
    REQUEST.length,
    large.length,
  ]);
});

function addTraceService(server: RpcServer, onMessage: (message: Buffer) => void): void {
  const identity = (bytes: Buffer): Buffer => bytes;
  const method = {
    path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  } as const;
  server.addService(
    { export: method },
    {
      export: (
        call: { readonly request: Buffer },
        done: (error: Error | null, response: Buffer) => void,
      ) => {
        onMessage(call.request);
        done(null, Buffer.alloc(0));
      },
    },
  );
}
