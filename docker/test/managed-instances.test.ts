/** Lambda Managed Instances in a container: many invocations at once, in several threads, no code. */
import { afterAll, expect, inject, test } from "vitest";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import type { RuntimeApi } from "../../src/dev/runtime-api.ts";
import { connectEngine } from "./engine.ts";
import { functionImages } from "./function-image.ts";
import { runImageFunction } from "./image-function.ts";

const AT_ONCE = 32;
const WORKERS = 2;
const SPANS_PER_INVOCATION = 2;
/** Ms between two sends. */
const SOON = "100";
const LATE = "60000";

const engine = connectEngine(inject("dockerHost"));
const [{ coldspan } = { coldspan: "" }] = inject("images");
const built = functionImages(engine);
afterAll(() => built.remove());

const files = {
  "app.mjs": `import { setTimeout as sleep } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import { trace } from "@opentelemetry/api";
let running = 0;
let most = 0;
export const handler = async (n) =>
  trace.getTracer("own").startActiveSpan("work " + n, async (span) => {
    most = Math.max(most, ++running);
    await sleep(300);
    running -= 1;
    span.end();
    return { n, threadId, most };
  });`,
};

/** The first worker would take everything while the others load; resolves with how many it took. */
async function invokeUntilAllWork(api: RuntimeApi): Promise<number> {
  const threads = new Set<number>();
  let count = 0;
  for (; threads.size < WORKERS; count += 1) {
    threads.add(JSON.parse((await api.invoke("early")).body.toString()).threadId);
  }
  return count;
}

const start = async (receiver: OtlpReceiver, sendDelayMs: string) =>
  runImageFunction(engine, {
    image: await built.build({ base: coldspan, files, handler: "app.handler" }),
    maxConcurrency: AT_ONCE,
    env: {
      AWS_LAMBDA_NODEJS_WORKER_COUNT: String(WORKERS),
      OTEL_BSP_SCHEDULE_DELAY: sendDelayMs,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
    },
  });

test("each of many invocations at once has a trace of its own, whatever thread it runs in", async () => {
  const receiver = await startOtlpReceiver();
  const { api } = await start(receiver, SOON);
  const early = await invokeUntilAllWork(api);
  const results = await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => api.invoke(n)));
  const answers = results.map(({ body }) => JSON.parse(body.toString()));
  expect(answers.map(({ n }) => n)).toEqual(Array.from({ length: AT_ONCE }, (_, n) => n));
  expect(new Set(answers.map(({ threadId }) => threadId)).size).toBe(WORKERS);
  expect(Math.max(...answers.map(({ most }) => most))).toBeGreaterThan(1);
  const total = (early + AT_ONCE) * SPANS_PER_INVOCATION;
  const spans = await receiver.waitForSpans(total, 15_000);
  expect(spans).toHaveLength(total);
  expect(receiver.duplicates()).toEqual([]);
  for (const [n, { requestId }] of results.entries()) {
    const work = spans.find(({ name }) => name === `work ${n}`);
    const invocation = spans.find(({ spanId }) => spanId === work?.parentSpanId);
    expect(invocation?.attributes["faas.invocation_id"]).toBe(requestId);
  }
  await receiver.close();
});

test("what was not sent yet is sent when Lambda ends the environment", async () => {
  const receiver = await startOtlpReceiver();
  const { api, container } = await start(receiver, LATE);
  await invokeUntilAllWork(api);
  expect(receiver.spans()).toEqual([]);
  await container.kill("SIGTERM");
  // Each thread has 300 ms and spools the rest: on a busy machine not every one gets to sending.
  await receiver.waitForSpans(SPANS_PER_INVOCATION);
  await receiver.close();
});
