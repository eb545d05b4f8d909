/** Whose trace an invocation joins, and what goes out of it: X-Ray's header and inbound policies in the real runtime. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTaskRoot, type TaskRoot } from "../runtimes/task-root.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import type { ReceivedSpan } from "../src/dev/received-span.ts";
import type { FunctionProcess } from "../src/dev/running-function.ts";
import { deploy, LAMBDA_RUNTIMES, type Runtime } from "./support/deployed.ts";
import { producer, sqsEvent } from "./support/sqs.ts";

const SEGMENT = { trace: "5759e988bd862e3fe1be46a994272793", span: "53995c3f42cd8ad8" };
const CALLER = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const LINEAGE = "Lineage=1:a87bd80c:0";

const xray = ({ trace, span }: typeof SEGMENT, rest: string) =>
  `Root=1-${trace.slice(0, 8)}-${trace.slice(8)};Parent=${span};${rest}`;

const platform = (sampled: 0 | 1) => xray(SEGMENT, `Sampled=${sampled};${LINEAGE}`);

const request = (headers: Record<string, string>) => ({
  version: "2.0",
  rawQueryString: "",
  rawPath: "/",
  routeKey: "$default",
  headers,
  requestContext: { http: { method: "GET" } },
});

const traceparent = (flags: string) => `00-${CALLER.trace}-${CALLER.span}-${flags}`;

let receiver: OtlpReceiver;
let taskRoot: TaskRoot;
const running: FunctionProcess[] = [];

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  taskRoot = await createTaskRoot("test/fixtures/functions/contexts.ts", "esm");
});

afterAll(async () => {
  for (const one of running) await one.close();
  await receiver.close();
  await taskRoot.remove();
});

async function start(runtime: Runtime, env: Record<string, string>): Promise<FunctionProcess> {
  const started = await deploy(runtime, taskRoot, {
    handler: "app.traced",
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
      COLDSPAN_FLUSH_TIMEOUT_MS: "20000",
      ...env,
    },
  });
  running.push(started);
  return started;
}

interface Outcome {
  readonly invocation: ReceivedSpan | undefined;
  readonly spans: readonly ReceivedSpan[];
  readonly headers: Readonly<Record<string, string>>;
  readonly records: readonly Readonly<Record<string, string>>[];
}

async function invoke(target: FunctionProcess, event: unknown, traceId: string): Promise<Outcome> {
  receiver.clear();
  const result = await target.invoke(event, { traceId });
  const { body } = JSON.parse(result.body.toString()) as { body: string };
  const spans = receiver.spans().filter(({ name }) => name !== "init");
  return { ...JSON.parse(body), spans, invocation: spans.find(({ kind }) => kind === "SERVER") };
}

/** The header that a span's children get, under the invocation's lineage. */
function fromHere(span: ReceivedSpan | undefined): string {
  return xray({ trace: span?.traceId ?? "", span: span?.spanId ?? "" }, `Sampled=1;${LINEAGE}`);
}

// Client 4 says the header in `context.xRayTraceId`, client 3 in the environment alone.
describe.each(LAMBDA_RUNTIMES)("Node $node with runtime client $ric, xray-lambda", (runtime) => {
  let target: FunctionProcess;

  beforeAll(async () => {
    target = await start(runtime, { OTEL_PROPAGATORS: "tracecontext,baggage,xray-lambda" });
  });

  it("continues Lambda's segment and hands its lineage on", async () => {
    const { invocation, headers } = await invoke(target, {}, platform(1));
    expect(invocation).toMatchObject({ traceId: SEGMENT.trace, parentSpanId: SEGMENT.span });
    expect(headers["x-amzn-trace-id"]).toBe(fromHere(invocation));
  });

  it("exports nothing where Lambda's header is not sampled, and says so to others", async () => {
    const { spans, headers } = await invoke(target, {}, platform(0));
    expect(spans).toEqual([]);
    expect(headers["x-amzn-trace-id"]).toMatch(
      new RegExp(`^Root=1-5759e988-.*;Parent=(?!${SEGMENT.span}).*;Sampled=0;${LINEAGE}$`),
    );
  });

  it("prefers the caller's traceparent, and still hands Lambda's lineage on", async () => {
    const { invocation, headers } = await invoke(
      target,
      request({ Traceparent: traceparent("01") }),
      platform(0),
    );
    expect(invocation).toMatchObject({ traceId: CALLER.trace, parentSpanId: CALLER.span });
    expect(headers["x-amzn-trace-id"]).toBe(fromHere(invocation));
  });

  it("prefers Lambda's header to the event's, and the event's to none", async () => {
    const event = request({ "x-amzn-trace-id": xray(CALLER, "Sampled=1") });
    const both = await invoke(target, event, platform(1));
    expect(both.invocation?.parentSpanId).toBe(SEGMENT.span);
    const alone = await invoke(target, event, "");
    expect(alone.invocation?.parentSpanId).toBe(CALLER.span);
  });

  it("leaves a message its own producer, whose lineage is the invocation's all the same", async () => {
    const { spans, records } = await invoke(target, sqsEvent(2), platform(1));
    for (const [index, headers] of records.entries()) {
      const { traceId, spanId } = producer(index + 1);
      const record = spans.find((span) => span.traceId === traceId);
      expect(record?.parentSpanId).toBe(spanId);
      expect(headers["x-amzn-trace-id"]).toBe(fromHere(record));
    }
  });
});

describe("Lambda's header that is not sampled", () => {
  const NODE_24: Runtime = { node: 24, ric: 4 };
  const propagators = { OTEL_PROPAGATORS: "xray-lambda" };

  it.each([
    ["OTEL_TRACES_SAMPLER=always_on", { ...propagators, OTEL_TRACES_SAMPLER: "always_on" }, true],
    ["policy link", { ...propagators, COLDSPAN_INBOUND_CONTEXT: "link" }, false],
    ["another propagator", { OTEL_PROPAGATORS: "tracecontext,baggage,xray" }, false],
  ])("does not silence a function with %s", async (_, env, continues) => {
    const { invocation, headers } = await invoke(await start(NODE_24, env), {}, platform(0));
    expect(invocation?.traceId === SEGMENT.trace).toBe(continues);
    expect(headers["x-amzn-trace-id"]).toBe(fromHere(invocation));
  });

  it("is not asked for, nor any X-Ray header written, unless X-Ray was chosen", async () => {
    const { invocation, headers } = await invoke(await start(NODE_24, {}), {}, platform(0));
    expect(Object.keys(headers)).toEqual(["traceparent"]);
    expect(headers.traceparent).toBe(`00-${invocation?.traceId}-${invocation?.spanId}-01`);
  });
});

describe("COLDSPAN_INBOUND_CONTEXT=http=link", () => {
  it("lets no stranger choose trace or sampling of an endpoint, and queues go on as before", async () => {
    const target = await start({ node: 24, ric: 4 }, { COLDSPAN_INBOUND_CONTEXT: "http=link" });
    const { invocation } = await invoke(target, request({ traceparent: traceparent("00") }), "");
    expect(invocation?.traceId).not.toBe(CALLER.trace);
    expect(invocation?.parentSpanId).toBeUndefined();
    expect(invocation?.links.map(({ spanId }) => spanId)).toEqual([CALLER.span]);
    const { spans } = await invoke(target, sqsEvent(1), "");
    expect(spans.map(({ parentSpanId }) => parentSpanId)).toContain(producer(1).spanId);
  });
});
