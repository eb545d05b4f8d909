import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { expect, onTestFinished, test } from "vitest";
import { decodeTraces } from "../../src/dev/otlp-definitions.ts";
import { createDestination } from "../../src/export/destinations.ts";
import { makeManySpans, makeSpans } from "../support/sample-spans.ts";

const TIMEOUT_MS = 2000;

/** A daemon that keeps its datagrams, and a destination that sends to it. */
async function openWithDaemon() {
  const daemon = createSocket("udp4");
  const datagrams: Buffer[] = [];
  daemon.on("message", (datagram) => datagrams.push(datagram));
  daemon.bind(0, "127.0.0.1");
  await once(daemon, "listening");
  onTestFinished(() => {
    daemon.close();
  });
  const { port } = daemon.address();
  const destination = await createDestination({ kind: "xray-udp", host: "127.0.0.1", port });
  onTestFinished(() => destination.shutdown());
  const next = async (): Promise<Buffer> => {
    while (datagrams.length === 0) await once(daemon, "message");
    return datagrams.shift() ?? Buffer.alloc(0);
  };
  return { destination, next, port };
}

function withSampled(span: ReadableSpan, isSampled: boolean): ReadableSpan {
  const context = { ...span.spanContext(), traceFlags: isSampled ? 1 : 0 };
  return Object.create(span, { spanContext: { value: () => context } });
}

function decodeDatagram(datagram: Buffer) {
  const [header = "", body = ""] = datagram.toString("latin1").split("\n");
  const request = decodeTraces(Buffer.from(body.slice(3), "base64"));
  const spans = request.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans),
  );
  return { header: JSON.parse(header), marker: body.slice(0, 3), names: spans.map((s) => s.name) };
}

test("sampled spans arrive in a datagram of the daemon's form", async () => {
  const { destination, next, port } = await openWithDaemon();

  const outcome = await destination.send(destination.encode(makeSpans()), TIMEOUT_MS);

  expect(outcome).toEqual({ status: "success" });
  expect(decodeDatagram(await next())).toEqual({
    header: { format: "json", version: 1 },
    marker: "T1S",
    names: makeSpans().map((span) => span.name),
  });
  expect(destination.name).toBe(`xray udp 127.0.0.1:${port}`);
});

test("unsampled spans are marked so; one sampled span marks its whole request", async () => {
  const { destination, next } = await openWithDaemon();
  const [first, second] = makeManySpans(2);
  if (first === undefined || second === undefined) throw new Error("two spans were asked for");
  const unsampled = [withSampled(first, false), withSampled(second, false)];
  const mixed = [withSampled(first, false), withSampled(second, true)];

  await destination.send(destination.encode(unsampled), TIMEOUT_MS);
  expect(decodeDatagram(await next()).marker).toBe("T1U");

  await destination.send(destination.encode(mixed), TIMEOUT_MS);
  expect(decodeDatagram(await next()).marker).toBe("T1S");
});

test("the largest request that is allowed fits a datagram", async () => {
  const { destination, next } = await openWithDaemon();
  const request = Buffer.alloc(destination.maxRequestBytes, 1);

  expect(destination.maxRequestBytes).toBeLessThanOrEqual(49_100);
  expect(await destination.send(request, TIMEOUT_MS)).toEqual({ status: "success" });
  expect((await next()).length).toBeLessThanOrEqual(65_507);
});

test("a request that cannot fit fails for good and says how large it is", async () => {
  const { destination } = await openWithDaemon();

  expect(await destination.send(Buffer.alloc(60_000), TIMEOUT_MS)).toMatchObject({
    status: "failure",
    error: { message: "The datagram has 80033 bytes, a datagram holds 65507" },
  });
});

test("a daemon that is not there is not noticed: UDP has no answers", async () => {
  const destination = await createDestination({ kind: "xray-udp", host: "127.0.0.1", port: 9 });
  onTestFinished(() => destination.shutdown());

  expect(await destination.send(Buffer.alloc(10), TIMEOUT_MS)).toEqual({ status: "success" });
});

test.each([
  ["a host that does not resolve", "daemon.invalid", 2000],
  ["a port that is none", "127.0.0.1", 70_000],
])("%s leaves the spans for later, each time anew", async (_what, host, port) => {
  const destination = await createDestination({ kind: "xray-udp", host, port });
  onTestFinished(() => destination.shutdown());

  for (let turn = 0; turn < 2; turn++) {
    expect(await destination.send(Buffer.alloc(10), TIMEOUT_MS)).toMatchObject({
      status: "retryable",
      answerLost: false,
    });
  }
});

test("nothing is sent after shutdown", async () => {
  const { destination } = await openWithDaemon();
  destination.shutdown();
  destination.shutdown();

  expect(await destination.send(Buffer.alloc(10), TIMEOUT_MS)).toMatchObject({
    status: "retryable",
  });
});
