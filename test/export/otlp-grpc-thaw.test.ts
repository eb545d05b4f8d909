import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { freeze, passTimeUntil, settle, stopClock } from "./support/clock.ts";
import { answerCall, startGrpcServer } from "./support/grpc-server.ts";
import { openDestination, serveGrpc } from "./support/open-destination.ts";
import { startRelay } from "./support/relay.ts";

const REQUEST = Buffer.alloc(2000, "spans");

/** Far beyond what a fresh connection takes, far below what a dead one would. */
const TIMEOUT_MS = 5000;

/** Longer than the time within which the last answer still proves the connection alive. */
const FREEZE_MS = 600;

beforeEach(() => stopClock());

async function serveBehindRelay() {
  const server = await serveGrpc();
  const relay = await startRelay(server.port);
  onTestFinished(() => relay.close());
  return { ...server, relay, endpoint: `http://127.0.0.1:${relay.port}` };
}

test("a connection that died silently in a freeze is replaced before anything is sent on it", async () => {
  const { endpoint, relay, calls } = await serveBehindRelay();
  const destination = await openDestination({ endpoint });
  await destination.send(REQUEST, TIMEOUT_MS);

  relay.silence();
  await freeze(FREEZE_MS);
  destination.wake?.();
  const outcome = await passTimeUntil(destination.send(REQUEST, TIMEOUT_MS));

  expect(outcome.status).toBe("success");
  expect(outcome).not.toHaveProperty("resends");
  expect(calls).toHaveLength(2);
  expect(relay.connections).toHaveLength(2);
});

test("a connection that is only slow after the freeze is overtaken by a fresh one, and closed", async () => {
  const { endpoint, relay, calls } = await serveBehindRelay();
  const destination = await openDestination({ endpoint });
  await destination.send(REQUEST, TIMEOUT_MS);

  await freeze(FREEZE_MS);
  relay.delay(400);
  destination.wake?.();
  vi.advanceTimersByTime(200);
  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(outcome).not.toHaveProperty("resends");
  expect(calls).toHaveLength(2);
  expect(relay.connections).toHaveLength(2);
  await vi.waitFor(() => expect(relay.connections[0]?.destroyed).toBe(true));
  expect(relay.connections[1]?.destroyed).toBe(false);
});

test("a connection that outlived the freeze is used again", async () => {
  const { endpoint, relay, calls, pings } = await serveBehindRelay();
  const destination = await openDestination({ endpoint });
  await destination.send(REQUEST, TIMEOUT_MS);

  await freeze(FREEZE_MS);
  destination.wake?.();
  await destination.send(REQUEST, TIMEOUT_MS);

  expect(pings.count).toBe(1);
  expect(calls).toHaveLength(2);
  expect(relay.connections).toHaveLength(1);
});

test("invocations in quick succession cost no ping", async () => {
  const { endpoint, pings } = await serveGrpc();
  const destination = await openDestination({ endpoint });

  for (let invocation = 0; invocation < 5; invocation++) {
    destination.wake?.();
    await destination.send(REQUEST, TIMEOUT_MS);
  }

  expect(pings.count).toBe(0);
});

test("invocations that send nothing ping less often than gRPC servers punish", async () => {
  const { endpoint, pings, connections } = await serveGrpc();
  const destination = await openDestination({ endpoint });
  await destination.send(REQUEST, TIMEOUT_MS);

  for (let invocation = 0; invocation < 4; invocation++) {
    await freeze(FREEZE_MS);
    destination.wake?.();
  }
  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(pings.count).toBeLessThanOrEqual(2);
  expect(connections).toHaveLength(2);
});

test("a request caught on a dying connection is sent again after the thaw, and counted", async () => {
  const server = await startGrpcServer((call, index) => {
    if (index === 1) relay.silence();
    answerCall(call);
  });
  const relay = await startRelay(server.port);
  onTestFinished(() => relay.close());
  onTestFinished(() => server.close());
  const destination = await openDestination({ endpoint: `http://127.0.0.1:${relay.port}` });
  await destination.send(REQUEST, TIMEOUT_MS);

  const sending = destination.send(REQUEST, TIMEOUT_MS);
  while (server.calls.length < 2) await settle();
  await freeze(FREEZE_MS);
  destination.wake?.();

  expect(await passTimeUntil(sending)).toMatchObject({ status: "success", resends: 1 });
  expect(server.calls).toHaveLength(3);
});

test("a connection that the server closed in the freeze is replaced", async () => {
  const { endpoint, connections, calls } = await serveGrpc();
  const destination = await openDestination({ endpoint });
  await destination.send(REQUEST, TIMEOUT_MS);

  // No turn of the event loop lies between the end of the connection and the next request.
  connections[0]?.destroy();
  destination.wake?.();
  const outcome = await destination.send(REQUEST, TIMEOUT_MS);

  expect(outcome.status).toBe("success");
  expect(calls).toHaveLength(2);
});

test("a request that met a silent connection makes the next one look before it sends", async () => {
  const { endpoint, relay, calls } = await serveBehindRelay();
  const destination = await openDestination({ endpoint });
  await destination.send(REQUEST, TIMEOUT_MS);

  relay.silence();
  const lost = await passTimeUntil(destination.send(REQUEST, 1000));
  const found = await passTimeUntil(destination.send(REQUEST, TIMEOUT_MS));

  expect(lost).toMatchObject({ status: "retryable", answerLost: true });
  expect(found.status).toBe("success");
  expect(calls).toHaveLength(2);
});

test("a freeze while the collector is gone for good ends within the bound", async () => {
  const { endpoint, relay } = await serveBehindRelay();
  const destination = await openDestination({ endpoint });
  await destination.send(REQUEST, TIMEOUT_MS);

  relay.silence();
  await relay.stopListening();
  await freeze(FREEZE_MS);
  destination.wake?.();

  expect(await passTimeUntil(destination.send(REQUEST, 1000))).toMatchObject({
    status: "retryable",
    answerLost: false,
  });
});
