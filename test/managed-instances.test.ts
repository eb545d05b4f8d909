/** Lambda Managed Instances: many invocations at once in one process, none of which sees another's. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTaskRoot, type TaskRoot } from "../runtimes/task-root.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../src/dev/received-span.ts";
import type { FunctionProcess } from "../src/dev/running-function.ts";
import { deploy } from "./support/deployed.ts";
import { producer, sqsRecord } from "./support/sqs.ts";

const AT_ONCE = 64;
const RECORDS = 4;
const STEPS = 3;
/** Far below what a stuck record would take, and time enough to answer on a busy machine. */
const SHORT_TIMEOUT_MS = 2_000;

const WAYS = ["for…of", "map", "processRecords", "request"] as const;

interface Sent {
  readonly name: string;
  readonly way: (typeof WAYS)[number] | "stuck";
  readonly event: unknown;
}

interface Answer {
  readonly name: string;
  readonly foreign: readonly string[];
  readonly answer: { readonly batchItemFailures: readonly { itemIdentifier: string }[] };
  readonly most: number;
  readonly threadId: number;
}

let taskRoot: TaskRoot;

beforeAll(async () => {
  taskRoot = await createTaskRoot("test/fixtures/functions/concurrent.ts", "esm");
});

afterAll(() => taskRoot.remove());

describe.each([1, 2])("%i worker threads", (workers) => {
  let receiver: OtlpReceiver;
  let running: FunctionProcess;

  beforeAll(async () => {
    receiver = await startOtlpReceiver();
    running = await deploy({ node: 24, ric: 4 }, taskRoot, {
      handler: "app.traced",
      maxConcurrency: AT_ONCE,
      env: {
        AWS_LAMBDA_NODEJS_WORKER_COUNT: String(workers),
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
        OTEL_BSP_SCHEDULE_DELAY: "100",
        OTEL_PROPAGATORS: "tracecontext,baggage,xray-lambda",
      },
    });
  });

  afterAll(async () => {
    await running?.close();
    await receiver?.close();
  });

  async function invoke({ name, way, event }: Sent, timeoutMs = 30_000): Promise<Answer> {
    const result = await running.invoke(event, {
      clientContext: { custom: { name, way } },
      timeoutMs,
      // Each its own: what the context says must not be another's either.
      traceId: segment(name),
    });
    return JSON.parse(result.body.toString()) as Answer;
  }

  it("show each of 64 invocations its own spans, records and baggage, and lose nothing", async () => {
    const sent = Array.from({ length: AT_ONCE }, (_, n) => invocation(n));
    const answers = await Promise.all(sent.map((one) => invoke(one)));
    expect(answers.flatMap(({ foreign }) => foreign)).toEqual([]);
    expect(answers.map(({ name }) => name)).toEqual(sent.map(({ name }) => name));
    expect(new Set(answers.map(({ threadId }) => threadId)).size).toBe(workers);
    expect(Math.max(...answers.map(({ most }) => most))).toBeGreaterThan(AT_ONCE / workers / 4);
    const total = sent.reduce((sum, { way }) => sum + spansOf(way), 0);
    const spans = await receiver.waitForSpans(total, 15_000);
    expect(spans).toHaveLength(total);
    expect(receiver.duplicates()).toEqual([]);
    for (const one of sent) expectTrace(spans, one);
    expect(running.stderr).toBe("");
  });

  it("give each invocation its own deadline", async () => {
    const stuck: Sent = { ...invocation(100), way: "stuck" };
    const others = Array.from({ length: 8 }, (_, n) => invocation(200 + n));
    const [answer, ...rest] = await Promise.all([
      invoke(stuck, SHORT_TIMEOUT_MS),
      ...others.map((one) => invoke(one)),
    ]);
    expect(answer?.answer.batchItemFailures).toEqual(
      messageIds(stuck.name).map((itemIdentifier) => ({ itemIdentifier })),
    );
    expect(rest.flatMap(({ foreign }) => foreign)).toEqual([]);
    expect(rest.flatMap(({ answer: other }) => other?.batchItemFailures ?? [])).toEqual([]);
  });
});

function number(name: string): number {
  return Number(name.slice(1));
}

function messageIds(name: string): string[] {
  return Array.from({ length: RECORDS }, (_, index) => `${name}-${index + 1}`);
}

/** A producer per message; the request's caller is the first. */
function producerOf(name: string, index: number) {
  return producer(1_000 + number(name) * 10 + index);
}

function segment(name: string): string {
  const { traceId, spanId } = producer(900_000 + number(name));
  return `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=1`;
}

function invocation(n: number): Sent {
  const name = `i${n}`;
  const way = WAYS[n % WAYS.length] ?? "map";
  if (way === "request") {
    const { traceId, spanId } = producerOf(name, 0);
    const headers = { traceparent: `00-${traceId}-${spanId}-01`, baggage: `owner=${name}` };
    const requestContext = { http: { method: "GET" } };
    return { name, way, event: { version: "2.0", rawQueryString: "", headers, requestContext } };
  }
  const Records = messageIds(name).map((messageId, index) => {
    const record = sqsRecord(0, producerOf(name, index));
    const baggage = { stringValue: `owner=${messageId}`, dataType: "String" };
    return {
      ...record,
      messageId,
      messageAttributes: { ...record.messageAttributes, baggage },
    };
  });
  return { name, way, event: { Records } };
}

/** Invocation, batch, and a span per record with its steps; or a request with its steps. */
function spansOf(way: Sent["way"]): number {
  return way === "request" ? 1 + STEPS : 2 + RECORDS * (1 + STEPS);
}

function only(spans: readonly ReceivedSpan[]): ReceivedSpan {
  expect(spans).toHaveLength(1);
  return spans[0] as ReceivedSpan;
}

function expectSteps(spans: readonly ReceivedSpan[], owner: string, parent: ReceivedSpan): void {
  const steps = spans.filter(({ name }) => name.startsWith(`${owner} step`));
  expect(steps.map(({ name }) => name)).toHaveLength(STEPS);
  for (const { traceId, parentSpanId } of steps) {
    expect({ traceId, parentSpanId }).toEqual({
      traceId: parent.traceId,
      parentSpanId: parent.spanId,
    });
  }
}

function expectTrace(spans: readonly ReceivedSpan[], { name, way }: Sent): void {
  if (way === "request") {
    const { traceId, spanId } = producerOf(name, 0);
    const request = only(
      spans.filter((span) => span.kind === "SERVER" && span.traceId === traceId),
    );
    expect(request.parentSpanId).toBe(spanId);
    expectSteps(spans, name, request);
    return;
  }
  const { traceId, spanId } = producer(900_000 + number(name));
  const own = spans.filter((span) => span.traceId === traceId);
  const server = only(own.filter(({ kind }) => kind === "SERVER"));
  expect(server.parentSpanId).toBe(spanId);
  const batch = only(own.filter(({ kind }) => kind === "CONSUMER"));
  expect(batch.links.map((link) => link.spanId)).toEqual(
    messageIds(name).map((_, index) => producerOf(name, index).spanId),
  );
  for (const [index, messageId] of messageIds(name).entries()) {
    const record = only(
      spans.filter(({ attributes }) => attributes["messaging.message.id"] === messageId),
    );
    const from = producerOf(name, index);
    expect(record).toMatchObject({ traceId: from.traceId, parentSpanId: from.spanId });
    expect(record.links.map((link) => link.spanId)).toEqual([batch.spanId]);
    expectSteps(spans, messageId, record);
  }
}
