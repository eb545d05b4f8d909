/** What a user chooses in code, in the real runtime: names, hooks, attributes, payloads, annotations. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTaskRoot, type TaskRoot } from "../runtimes/task-root.ts";
import { startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../src/dev/received-span.ts";
import { deploy } from "./support/deployed.ts";
import { producer, sqsEvent } from "./support/sqs.ts";

const RECORDS = 2;
/** Init, invocation, batch; each record and its own span. */
const SPANS = 3 + 2 * RECORDS;

let taskRoot: TaskRoot;

beforeAll(async () => {
  taskRoot = await createTaskRoot("test/fixtures/functions/custom.ts", "esm");
});

afterAll(() => taskRoot.remove());

interface Outcome {
  readonly answer: unknown;
  readonly stderr: string;
  readonly spans: readonly ReceivedSpan[];
  named(name: string): ReceivedSpan | undefined;
}

async function run(handler: string): Promise<Outcome> {
  const receiver = await startOtlpReceiver();
  const running = await deploy({ node: 24, ric: 4 }, taskRoot, {
    handler: `app.${handler}`,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl },
  });
  try {
    const { body } = await running.invoke(sqsEvent(RECORDS));
    const spans = await receiver.waitForSpans(SPANS);
    return {
      answer: JSON.parse(body.toString()),
      stderr: running.stderr,
      spans,
      named: (name) => spans.find((span) => span.name === name),
    };
  } finally {
    await running.close();
    await receiver.close();
  }
}

const ANSWER = {
  batchItemFailures: [],
  clientSecret: "hunter2",
  body: '{"sessionToken":"hunter2"}',
};

describe("a handler with options", () => {
  let outcome: Outcome;
  let invocation: ReceivedSpan | undefined;

  beforeAll(async () => {
    outcome = await run("chosen");
    invocation = outcome.named("my-function of 2");
  });

  it("names its spans", () => {
    expect(outcome.spans.map(({ name }) => name).sort()).toEqual([
      "cold_start",
      "my-function of 2",
      "own",
      "own",
      "sqs.batch",
      "sqs.process message-1",
      "sqs.process message-2",
    ]);
    expect(outcome.answer).toEqual(ANSWER);
    expect(outcome.stderr).toMatch(/^coldspan: annotate: [^\n]* got "not\.indexed"[^\n]*\n$/);
  });

  it("has its records under the batch, with a link to the producer", () => {
    const batch = outcome.named("sqs.batch");
    for (let n = 1; n <= RECORDS; n++) {
      const record = outcome.named(`sqs.process message-${n}`);
      expect(record).toMatchObject({ traceId: batch?.traceId, parentSpanId: batch?.spanId });
      expect(record?.links.map(({ spanId }) => spanId)).toEqual([producer(n).spanId]);
    }
  });

  it("sets attributes, its own and those of its hooks", () => {
    expect(invocation?.attributes).toMatchObject({
      team: "shop",
      "hook.records": RECORDS,
      "hook.answer": "batchItemFailures,clientSecret,body",
    });
  });

  it("annotates the span it is in, and lists for X-Ray what can be indexed", () => {
    expect(invocation?.attributes).toMatchObject({
      orders: RECORDS,
      "aws.xray.annotations": ["orders"],
      "aws.xray.metadata.queue": '{"name":"orders"}',
    });
    expect(outcome.named("sqs.process message-2")?.attributes).toMatchObject({
      customer: "message-2",
      "not.indexed": true,
      "aws.xray.annotations": ["customer"],
    });
    expect(outcome.named("sqs.batch")?.attributes).not.toHaveProperty("aws.xray.annotations");
  });

  it("shows event and answer, cut and without secrets", () => {
    const request = String(invocation?.attributes["coldspan.request.payload"]);
    expect(request).toHaveLength(601);
    expect(request).toMatch(/^\{"Records":\[\{"messageId":"message-1",.*…$/s);
    expect(request).toContain('"receiptHandle":"[redacted]"');
    expect(invocation?.attributes["coldspan.response.payload"]).toBe(
      '{"batchItemFailures":[],"clientSecret":"[redacted]","body":{"sessionToken":"[redacted]"}}',
    );
  });
});

describe("a handler whose options fail", () => {
  it("is traced under the default names, and each failure is said once", async () => {
    const { answer, stderr, spans } = await run("failing");
    expect(answer).toEqual(ANSWER);
    expect(spans.map(({ name }) => name).sort()).toEqual([
      "init",
      "my-function",
      "own",
      "own",
      "process orders",
      "process orders",
      "process orders",
    ]);
    expect(spans.filter(({ status }) => status.code !== "UNSET")).toEqual([]);
    for (const subject of ["names.invocation", "names.batch", "names.record", "onInvocation"]) {
      expect(stderr.split(subject).length - 1, subject).toBe(1);
    }
    expect(stderr).toContain("tracing failed at the invocation's response: Error: not my day");
  });
});

describe("a handler without options", () => {
  it("shows nothing of event and answer", async () => {
    const { spans } = await run("plain");
    for (const { attributes } of spans) {
      expect(Object.keys(attributes).filter((name) => name.includes("payload"))).toEqual([]);
      expect(JSON.stringify(attributes)).not.toContain("hunter2");
    }
  });
});
