import { constants } from "node:http2";
import { expect, test } from "vitest";
import { passTimeUntil, stopClock } from "./support/clock.ts";
import { answerCall, startGrpcServer } from "./support/grpc-server.ts";
import { openDestination, serveGrpc } from "./support/open-destination.ts";
import {
  FRAME,
  goaway,
  okAnswer,
  rawFrame,
  reset,
  startRawServer,
  startTcpServer,
} from "./support/raw-http2.ts";

const REQUEST = Buffer.alloc(2000, "spans");
/** Never waited for: far above what any answer takes on a busy machine. */
const TIMEOUT_MS = 15_000;

test("a refused stream is sent again at once and counts as never taken", async () => {
  const { endpoint, calls } = await serveGrpc((call, index) =>
    index === 0 ? call.stream.close(constants.NGHTTP2_REFUSED_STREAM) : answerCall(call),
  );
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(outcome).not.toHaveProperty("resends");
  expect(calls).toHaveLength(2);
});

test("GOAWAY that leaves the request unread moves it to a new connection, not counted as a resend", async () => {
  const seen: string[] = [];
  const endpoint = await startRawServer((socket, stream, connection) => {
    seen.push(`${connection}/${stream}`);
    if (connection === 0) socket.write(goaway(0));
    else socket.write(okAnswer(stream));
  });
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(outcome).not.toHaveProperty("resends");
  expect(seen).toEqual(["0/1", "1/1"]);
});

test("GOAWAY with an error that leaves the request unread is no lost answer either", async () => {
  const endpoint = await startRawServer((socket, stream, connection) => {
    if (connection === 0) socket.end(goaway(0, constants.NGHTTP2_ENHANCE_YOUR_CALM));
    else socket.write(okAnswer(stream));
  });
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(outcome).not.toHaveProperty("resends");
});

test("GOAWAY in mid-stream lets the request under way finish; the next one opens a new connection", async () => {
  const seen: string[] = [];
  const endpoint = await startRawServer((socket, stream, connection) => {
    seen.push(`${connection}/${stream}`);
    socket.write(Buffer.concat([goaway(stream), okAnswer(stream)]));
  });
  const destination = await openDestination({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });

  expect(seen).toEqual(["0/1", "1/1"]);
});

test("an exchange that went well is not reset: servers count resets as abuse", async () => {
  const types: number[] = [];
  const endpoint = await startRawServer(
    (socket, stream) => socket.write(okAnswer(stream)),
    ({ type }) => types.push(type),
  );
  const destination = await openDestination({ endpoint });

  for (let turn = 0; turn < 5; turn++) await destination.send(REQUEST, TIMEOUT_MS);

  expect(types).toContain(FRAME.data);
  expect(types).not.toContain(FRAME.reset);
});

test("a request given up at its deadline is reset: the server may stop working on it", async () => {
  stopClock();
  let resets = 0;
  const endpoint = await startRawServer(
    () => undefined,
    ({ type }) => {
      if (type === FRAME.reset) resets++;
    },
  );
  const destination = await openDestination({ endpoint });

  await passTimeUntil(destination.send(REQUEST, 1000));

  await expect.poll(() => resets).toBe(1);
});

test("a connection that ends with the answer outstanding is a lost answer: sent again, counted", async () => {
  const { endpoint, calls, connections } = await serveGrpc((call, index) => {
    if (index === 0) connections[0]?.destroy();
    else answerCall(call);
  });
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome).toMatchObject({ status: "success", resends: 1 });
  expect(calls).toHaveLength(2);
});

test("a connection reset with the answer outstanding is a lost answer: sent again, counted", async () => {
  const { endpoint, connections } = await serveGrpc((call, index) => {
    if (index === 0) connections[0]?.resetAndDestroy();
    else answerCall(call);
  });
  const destination = await openDestination({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "success",
    resends: 1,
  });
});

test("an answer cut in half is a lost answer", async () => {
  const { endpoint, connections } = await serveGrpc((call, index) => {
    if (index > 0) return answerCall(call);
    call.stream.respond({ ":status": 200, "content-type": "application/grpc" });
    call.stream.write(Buffer.from([0, 0]), () => connections[0]?.destroy());
  });
  const destination = await openDestination({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({
    status: "success",
    resends: 1,
  });
});

test.each([
  ["CANCEL", constants.NGHTTP2_CANCEL],
  ["ENHANCE_YOUR_CALM", constants.NGHTTP2_ENHANCE_YOUR_CALM],
])("a stream reset with %s is kept for later", async (_name, code) => {
  stopClock();
  const { endpoint } = await serveGrpc((call) => call.stream.close(code));
  const destination = await openDestination({ endpoint });

  expect(await passTimeUntil(destination.send(REQUEST, 1000))).toMatchObject({
    status: "retryable",
    answerLost: true,
  });
});

test.each([
  ["NO_ERROR", constants.NGHTTP2_NO_ERROR],
  ["INTERNAL_ERROR", constants.NGHTTP2_INTERNAL_ERROR],
  ["PROTOCOL_ERROR", constants.NGHTTP2_PROTOCOL_ERROR],
])("a stream reset with %s gets one more try, then fails for good", async (_name, code) => {
  const { endpoint, calls } = await serveGrpc((call) => call.stream.close(code));
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome).toMatchObject({ status: "failure", resends: 1 });
  expect(outcome.status === "failure" && outcome.error.message).toMatch(/^INTERNAL: /);
  expect(calls).toHaveLength(2);
});

test("a verdict before the upload's end is heard", async () => {
  const endpoint = await startTcpServer((socket) => {
    const status = Buffer.from([
      0x88,
      0,
      11,
      ...Buffer.from("grpc-status"),
      1,
      ...Buffer.from("3"),
    ]);
    socket.write(rawFrame(FRAME.settings, 0, Buffer.alloc(0)));
    socket.once("data", () => {
      socket.write(Buffer.concat([rawFrame(FRAME.headers, 1, status, 5), reset(1, 0)]));
    });
  });
  const destination = await openDestination({ endpoint });

  // Larger than HTTP/2's first window, so that the upload cannot end before the answer.
  const outcome = await destination.send(Buffer.alloc(1_000_000), TIMEOUT_MS);

  expect(outcome).toMatchObject({ status: "failure", error: { message: "INVALID_ARGUMENT" } });
});

test("an answer larger than 4 MiB fails for good: asking again would bring it again", async () => {
  const { endpoint, calls } = await serveGrpc((call) =>
    answerCall(call, { body: Buffer.alloc(5 * 1024 * 1024) }),
  );
  const destination = await openDestination({ endpoint });

  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome).toMatchObject({
    status: "failure",
    error: { message: "RESOURCE_EXHAUSTED: The answer is larger than 4194304 bytes" },
  });
  expect(calls).toHaveLength(1);
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["half a frame", Buffer.from([0, 0, 0])],
  ["a frame cut short", Buffer.from([0, 0, 0, 0, 9, 1])],
  ["a compressed frame", Buffer.from([1, 0, 0, 0, 1, 1])],
  ["a frame of garbage", Buffer.from([0, 0, 0, 0, 3, 255, 255, 255])],
])("an OK whose message is %s stays an OK", async (_name, body) => {
  const { endpoint, calls } = await serveGrpc((call) => answerCall(call, { body }));
  const destination = await openDestination({ endpoint });

  expect(await destination.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
  expect(calls).toHaveLength(1);
});

test("a server that does not speak HTTP/2 leaves the spans for later", async () => {
  stopClock();
  const endpoint = await startTcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const destination = await openDestination({ endpoint });

  expect(await passTimeUntil(destination.send(REQUEST, 1000))).toMatchObject({
    status: "retryable",
  });
});

test("garbage in place of frames leaves the spans for later", async () => {
  stopClock();
  const endpoint = await startRawServer((socket) => socket.write(Buffer.alloc(64, 0xff)));
  const destination = await openDestination({ endpoint });

  expect(await passTimeUntil(destination.send(REQUEST, 1000))).toMatchObject({
    status: "retryable",
    answerLost: true,
  });
});

test("a black hole holds a send no longer than its bound", async () => {
  stopClock();
  const endpoint = await startTcpServer(() => undefined);
  const destination = await openDestination({ endpoint });

  const outcome = await passTimeUntil(destination.send(REQUEST, 1000));

  expect(outcome).toMatchObject({ status: "retryable", answerLost: true });
  expect(outcome.status === "retryable" && outcome.error.message).toMatch(/^DEADLINE_EXCEEDED/);
});

test("a refused connection surely loses nothing, and is tried again until the time is up", async () => {
  stopClock();
  const { endpoint, close } = await serveGrpc();
  await close();
  const destination = await openDestination({ endpoint });

  const outcome = await passTimeUntil(destination.send(REQUEST, 1000));

  expect(outcome).toMatchObject({ status: "retryable", answerLost: false });
  expect(outcome.status === "retryable" && outcome.error.message).toMatch(/ECONNREFUSED/);
});

test("a name that does not resolve surely loses nothing", async () => {
  const destination = await openDestination({ endpoint: "http://collector.invalid:4317" });

  expect(await destination.send(REQUEST, 1000)).toMatchObject({
    status: "retryable",
    answerLost: false,
  });
});

test("a collector that comes back within the bound gets the request", async () => {
  const first = await serveGrpc();
  await first.close();
  const destination = await openDestination({ endpoint: first.endpoint });

  const sending = destination.send(REQUEST, 10_000);
  const second = await startGrpcServer(undefined, {
    listen: { port: first.port, host: "127.0.0.1" },
  });
  const outcome = await sending;
  await second.close();

  expect(outcome.status).toBe("success");
  expect(outcome).not.toHaveProperty("resends");
  expect(second.calls).toHaveLength(1);
});

test("shutdown cuts what is under way and refuses what comes after", async () => {
  const { endpoint, calls } = await serveGrpc(() => undefined);
  const destination = await openDestination({ endpoint, timeoutMs: 60_000 });
  const sending = destination.send(REQUEST, 60_000);
  await expect.poll(() => calls).toHaveLength(1);

  destination.shutdown();

  expect(await sending).toMatchObject({ status: "retryable", answerLost: true });
  expect(await destination.send(REQUEST, 60_000)).toMatchObject({
    status: "retryable",
    answerLost: false,
  });
});
