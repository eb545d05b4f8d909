/**
 * The main job, end to end: a web shop sends five orders, the real Lambda runtime runs the function
 * that charges them, and the joined traces arrive over gRPC. Fails unless every span did.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { SQSEvent } from "aws-lambda";
import { ensureNode, ensureRuntime } from "../runtimes/runtimes.ts";
import { createTaskRoot } from "../runtimes/task-root.ts";
import { startFunction } from "../src/dev/function-process.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../src/dev/received-span.ts";
import { renderTraces } from "../src/dev/trace-tree.ts";

import { bundlePackage } from "./build.ts";

/** Two of the shop and two of the function per order, and the function's own three. */
const EXPECTED_SPANS = 5 * (2 + 2) + 3;
const DEFAULT_WIDTH = 110;

const say = (line: string) => console.log(line);

async function main(): Promise<void> {
  const startedAt = performance.now();
  await bundlePackage();
  const [node, ric, taskRoot] = await Promise.all([
    ensureNode(24),
    ensureRuntime(4),
    createTaskRoot("examples/sqs-orders/handler.ts", "esm"),
  ]);
  const receiver = await startOtlpReceiver();
  try {
    const event = await produceOrders(receiver.grpcUrl);
    say(`web-shop      sent ${event.Records.length} orders to the queue`);
    const started = await startFunction({
      node,
      ric,
      taskRoot: taskRoot.path,
      handler: "app.handler",
      functionName: "charge-orders",
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
        OTEL_PROPAGATORS: "tracecontext,baggage,xray",
      },
    });
    try {
      const result = await started.invoke(event);
      say(`charge-orders answered ${result.body.toString()}`);
      const spans = await receiver.waitForSpans(EXPECTED_SPANS);
      say("");
      say(
        renderTraces(spans, { color: useColor(), width: process.stdout.columns ?? DEFAULT_WIDTH }),
      );
      check(spans, receiver);
    } catch (error) {
      process.stderr.write(started.stderr + started.stdout);
      throw error;
    } finally {
      await started.close();
    }
  } finally {
    await receiver.close();
    await taskRoot.remove();
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  say(`\nAll ${EXPECTED_SPANS} spans arrived, once each, in ${seconds} s.`);
}

/** Runs the producer in a process of its own: it knows nothing of coldspan. */
async function produceOrders(endpoint: string): Promise<SQSEvent> {
  const producer = spawn(process.execPath, ["scripts/demo/producer.ts"], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  producer.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [code] = await once(producer, "close");
  if (code !== 0) throw new Error(`the producer ended with code ${code}`);
  return JSON.parse(output) as SQSEvent;
}

function useColor(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR;
}

/** What the picture must show, checked rather than looked at. */
function check(spans: readonly ReceivedSpan[], receiver: OtlpReceiver): void {
  const expect = (holds: boolean, what: string) => {
    if (!holds) throw new Error(`expected ${what}`);
  };
  const records = spans.filter((span) => span.attributes["messaging.message.id"] !== undefined);
  const senders = new Set(
    spans.filter((span) => span.kind === "PRODUCER").map((span) => span.spanId),
  );
  const failed = records.filter((span) => span.status.code === "ERROR");
  const [batch] = spans.filter((span) => span.attributes["messaging.batch.message_count"] === 5);
  expect(spans.length === EXPECTED_SPANS, `${EXPECTED_SPANS} spans, got ${spans.length}`);
  expect(receiver.duplicates().length === 0, "no span twice");
  expect(records.length === 5, "a span per order");
  expect(
    records.filter((span) => senders.has(span.parentSpanId ?? "")).length === 4,
    "four orders in their sender's trace",
  );
  expect(batch?.links.length === 4, "a batch linked to the four messages that carry context");
  expect(failed.length === 1, "the order with the expired card marked as failed, and no other");
}

await main();
