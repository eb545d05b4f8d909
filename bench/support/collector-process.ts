/**
 * Receives what functions send, in a process of its own so that decoding disturbs no measurement:
 * OTLP over gRPC and HTTP, X-Ray's datagrams, and the calls of a function's AWS clients.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { type Addresses, type Received, type Take, totalSpans } from "./received.ts";
import { countDatagramSpans } from "./xray-datagrams.ts";

/** Between two looks at what has arrived. */
const POLL_MS = 5;

let datagramSpans = 0;

async function serve(): Promise<void> {
  const receiver = await startOtlpReceiver();
  const addresses: Addresses = {
    grpcUrl: receiver.grpcUrl,
    httpUrl: receiver.httpUrl,
    xrayDaemon: await listenForDatagrams(),
    awsUrl: await answerAwsCalls(),
  };
  process.on("message", (take: Take) => void answer(receiver, take));
  process.on("disconnect", () => process.exit());
  process.send?.(addresses);
}

async function answer(receiver: OtlpReceiver, take: Take): Promise<void> {
  const endMs = performance.now() + take.timeoutMs;
  while (totalSpans(count(receiver)) < take.spans && performance.now() < endMs) {
    await sleep(POLL_MS);
  }
  process.send?.({ ...count(receiver), duplicates: receiver.duplicates().length });
  receiver.clear();
  datagramSpans = 0;
}

function count(receiver: OtlpReceiver): Received {
  const spans = { grpc: 0, http: 0, "xray-udp": datagramSpans };
  const requests = receiver.requests();
  for (const { transport, spanCount, recorded } of requests) {
    if (recorded) spans[transport === "grpc" ? "grpc" : "http"] += spanCount;
  }
  const links = receiver.spans().reduce((sum, span) => sum + span.links.length, 0);
  return { spans, links, requests: requests.length, duplicates: 0 };
}

async function listenForDatagrams(): Promise<string> {
  const socket = createSocket("udp4");
  socket.on("message", (datagram) => {
    datagramSpans += countDatagramSpans(datagram);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return `127.0.0.1:${socket.address().port}`;
}

async function answerAwsCalls(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

await serve();
