/**
 * Run while the image is built: puts coldspan's own code, the runtime's, and what a first invocation
 * makes of both into the caches. The handler is a stand-in, and so are the collectors.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { warmUp } from "../src/dev/warm-up.ts";
import { PRIMING_EVENTS, primingSetups, STAND_IN_HANDLER } from "./priming.ts";

const IMAGE_DIRECTORY = "/opt/coldspan";
const TIMEOUT_MS = 120_000;
/** Datagrams to the port of the discard service are lost, as they are to an absent daemon. */
const NO_DAEMON = "127.0.0.1:9";

const grpc = createHttp2Server((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "application/grpc+proto" });
    response.addTrailers({ "grpc-status": "0" });
    response.end(Buffer.alloc(5));
  });
});
const http = createHttpServer((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((listening) => {
    server.listen(0, "127.0.0.1", () => listening());
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function prime(
  taskRoot: string,
  setup: Readonly<Record<string, string>>,
  cacheDirectory: string,
): Promise<string> {
  const { fileCount, bytes, problem } = await warmUp({
    command: [join(IMAGE_DIRECTORY, "coldspan-wrapper"), "/lambda-entrypoint.sh", "app.handler"],
    handler: "app.handler",
    env: { ...process.env, LAMBDA_TASK_ROOT: taskRoot, ...setup },
    cacheDirectory,
    timeoutMs: TIMEOUT_MS,
    events: PRIMING_EVENTS,
  });
  if (problem !== undefined) throw new Error(`the image cannot be primed: ${problem}`);
  return `${fileCount} files, ${bytes} bytes`;
}

const cacheDirectory = join(IMAGE_DIRECTORY, "compile-cache");
mkdirSync(cacheDirectory, { recursive: true });
const taskRoot = mkdtempSync("/tmp/coldspan-prime-");
writeFileSync(join(taskRoot, "app.mjs"), STAND_IN_HANDLER);
const backends = {
  grpcUrl: await listen(grpc),
  httpUrl: await listen(http),
  xrayDaemon: NO_DAEMON,
};
let filled = "";
for (const setup of primingSetups(backends)) {
  filled = await prime(taskRoot, setup, cacheDirectory);
}
rmSync(taskRoot, { recursive: true });
console.log(`primed: ${filled}`);
process.exit(0);
