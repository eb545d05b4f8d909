import { expect, onTestFinished, test } from "vitest";
import { freeze, stopDate } from "./support/clock.ts";
import { answerCall, frame, refuseCall } from "./support/grpc-server.ts";
import { openDestination, serveGrpc } from "./support/open-destination.ts";
import { partialSuccess, statusWithRetryInfo } from "./support/protobuf.ts";
import { startTcpServer } from "./support/raw-http2.ts";
import { startRelay } from "./support/relay.ts";

const REQUEST = Buffer.alloc(2000, "spans");
const TIMEOUT_MS = 15_000;
const STOCK = { grpcClient: "grpc-js" } as const;

test("requests go out through grpc-js with each export's own headers", async () => {
  const { endpoint, calls } = await serveGrpc();
  let turn = 0;
  const headers = () => ({ authorization: `Bearer ${++turn}`, "trace-bin": "AAEC" });
  const destination = await openDestination({ endpoint, headers, compression: "gzip", ...STOCK });
  destination.connect?.();

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });

  expect(calls.map((call) => call.headers.authorization)).toEqual(["Bearer 1", "Bearer 2"]);
  expect(calls[0]).toMatchObject({ message: REQUEST, isCompressed: true });
  expect(calls[0]?.headers).toMatchObject({
    ":path": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "trace-bin": expect.stringMatching(/^AAEC=*$/),
    "user-agent": expect.stringMatching(
      /^coldspan\/\S+ OTel-OTLP-Exporter-JavaScript.*grpc-node-js/,
    ),
  });
  expect(destination.name).toMatch(/^otlp\/grpc-js 127\.0\.0\.1:\d+$/);
});

test("a retryable answer is tried again, a final one is not", async () => {
  const { endpoint, calls } = await serveGrpc((call, index) =>
    answerCall(call, { status: [14, 0, 3][index] ?? 0, message: "so%20it%20is" }),
  );
  const destination = await openDestination({ endpoint, ...STOCK });

  const first = await destination.send(REQUEST, TIMEOUT_MS);
  const second = await destination.send(REQUEST, TIMEOUT_MS);

  expect(first.status).toBe("success");
  expect(first).not.toHaveProperty("resends");
  expect(second).toMatchObject({
    status: "failure",
    error: { message: "INVALID_ARGUMENT: so it is" },
  });
  expect(calls).toHaveLength(3);
});

test("RetryInfo and partial success are understood", async () => {
  const details = statusWithRetryInfo(30);
  const body = frame(partialSuccess(3, "too old"));
  const { endpoint } = await serveGrpc((call, index) =>
    index === 0 ? refuseCall(call, { status: 8, details }) : answerCall(call, { body }),
  );
  const destination = await openDestination({ endpoint, ...STOCK });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "retryable",
    retryInMillis: 30_000,
    answerLost: false,
  });
  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "success",
    rejectedSpans: 3,
  });
});

test("a connection that ends with the answer outstanding is a lost answer: sent again, counted", async () => {
  const { endpoint, connections } = await serveGrpc((call, index) => {
    if (index === 0) connections[0]?.destroy();
    else answerCall(call);
  });
  const destination = await openDestination({ endpoint, ...STOCK });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "success",
    resends: 1,
  });
});

test("a black hole is a lost answer, a refused connection is none", async () => {
  const silent = await startTcpServer((socket) => {
    // SETTINGS alone: grpc-js holds a request back until it has seen them.
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  });
  const { endpoint, close } = await serveGrpc();
  await close();
  const hole = await openDestination({ endpoint: silent, ...STOCK });
  const gone = await openDestination({ endpoint, ...STOCK });

  expect(await hole.send(REQUEST, 1000)).toMatchObject({ status: "retryable", answerLost: true });
  expect(await gone.send(REQUEST, 1000)).toMatchObject({ status: "retryable", answerLost: false });
});

test("a connection that died silently in a freeze is replaced", async () => {
  stopDate();
  const server = await serveGrpc();
  const relay = await startRelay(server.port);
  onTestFinished(() => relay.close());
  const destination = await openDestination({
    endpoint: `http://127.0.0.1:${relay.port}`,
    ...STOCK,
  });
  await destination.send(REQUEST, TIMEOUT_MS);

  relay.silence();
  await freeze(1100);
  destination.wake?.();

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(relay.connections).toHaveLength(2);
});

test("a connection that gave no answer is not asked again", async () => {
  const server = await serveGrpc();
  const relay = await startRelay(server.port);
  onTestFinished(() => relay.close());
  const endpoint = `http://127.0.0.1:${relay.port}`;
  const destination = await openDestination({ endpoint, ...STOCK });
  await destination.send(REQUEST, TIMEOUT_MS);

  relay.silence();
  const lost = await destination.send(REQUEST, 1000);
  const found = await destination.send(REQUEST, TIMEOUT_MS);

  expect(lost).toMatchObject({ status: "retryable", answerLost: true });
  expect(found.status).toBe("success");
});

test("nothing is sent after shutdown", async () => {
  const { endpoint, calls } = await serveGrpc();
  const destination = await openDestination({ endpoint, ...STOCK });
  destination.shutdown();

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "retryable" });
  expect(calls).toHaveLength(0);
});
