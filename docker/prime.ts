/**
 * Run while the image is built: puts coldspan's own code, the runtime's, and what a first invocation
 * makes of both into the compile cache. The handler is a stand-in, and so is the collector.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { warmUp } from "../src/dev/warm-up.ts";

const IMAGE_DIRECTORY = "/opt/coldspan";
const TIMEOUT_MS = 120_000;
const EVENT = {
  Records: [
    {
      messageId: "1",
      body: "{}",
      attributes: { SentTimestamp: "1", ApproximateReceiveCount: "1" },
      messageAttributes: {},
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:us-east-1:123456789012:orders",
    },
  ],
};

const collector = createServer((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "application/grpc+proto" });
    response.addTrailers({ "grpc-status": "0" });
    response.end(Buffer.alloc(5));
  });
});
await new Promise<void>((listening) => {
  collector.listen(0, "127.0.0.1", () => listening());
});
const { port } = collector.address() as AddressInfo;
const taskRoot = mkdtempSync("/tmp/coldspan-prime-");
writeFileSync(
  join(taskRoot, "app.mjs"),
  "export const handler = async (event) => { for (const record of event.Records) await record; };",
);
const cacheDirectory = join(IMAGE_DIRECTORY, "compile-cache");
mkdirSync(cacheDirectory, { recursive: true });
const { fileCount, bytes, problem } = await warmUp({
  command: [join(IMAGE_DIRECTORY, "coldspan-wrapper"), "/lambda-entrypoint.sh", "app.handler"],
  handler: "app.handler",
  env: {
    ...process.env,
    LAMBDA_TASK_ROOT: taskRoot,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  },
  cacheDirectory,
  timeoutMs: TIMEOUT_MS,
  event: EVENT,
});
rmSync(taskRoot, { recursive: true });
collector.close();
if (problem !== undefined) throw new Error(`the image cannot be primed: ${problem}`);
console.log(`primed: ${fileCount} files, ${bytes} bytes`);
process.exit(0);
