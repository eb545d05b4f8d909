/** What becomes of a caller's and a producer's context under each policy. */
import { defaultTextMapGetter, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import type { SQSEvent } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPropagators } from "../../src/sdk/propagators.ts";
import { setLifecycle } from "../../src/seam.ts";
import { withTracing } from "../../src/trace/handler.ts";
import type { InboundContext, InboundPolicy } from "../../src/trace/settings.ts";
import { fixture } from "../support/events.ts";
import { startTraced } from "../support/traced.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";

const traced = startTraced();

beforeEach(() => traced.reset());
afterEach(() => setLifecycle(traced.lifecycle));

function choose(inboundContext: InboundContext): void {
  const settings = { ...traced.lifecycle.settings, inboundContext };
  setLifecycle({ ...traced.lifecycle, settings });
}

const everywhere = (policy: InboundPolicy): InboundContext => ({ default: policy, bySource: {} });

function tenant(): string | undefined {
  return propagation.getActiveBaggage()?.getEntry("tenant")?.value;
}

function httpEvent(flags: string): unknown {
  const event = fixture("api-gateway-v2") as { headers: Record<string, string> };
  event.headers.traceparent = `00-${TRACE_ID}-${SPAN_ID}-${flags}`;
  return event;
}

function sqsEvent(flags: string): SQSEvent {
  const text = (stringValue: string) => ({ stringValue, dataType: "String" });
  const messageAttributes = {
    traceparent: text(`00-${TRACE_ID}-${SPAN_ID}-${flags}`),
    baggage: text("tenant=blue"),
  };
  const { Records } = fixture("sqs-trace-context") as SQSEvent;
  return { Records: Records.slice(0, 1).map((record) => ({ ...record, messageAttributes })) };
}

describe("a request", () => {
  async function request(flags: string) {
    let seen: string | undefined;
    await withTracing(async (_event: unknown) => {
      seen = tenant();
      return { statusCode: 200 };
    })(httpEvent(flags));
    const [span] = traced.spans();
    return {
      isSent: span !== undefined,
      continues: span?.spanContext().traceId === TRACE_ID,
      parent: span?.parentSpanContext?.spanId,
      links: span?.links.map(({ context }) => context.spanId),
      tenant: seen,
    };
  }

  it.each(["01", "00"])(
    "has its caller as parent by policy parent, with flags %s",
    async (flags) => {
      choose(everywhere("parent"));
      expect(await request(flags)).toEqual(
        flags === "01"
          ? { isSent: true, continues: true, parent: SPAN_ID, links: [], tenant: "blue" }
          : // The caller decided that its trace is not sampled.
            { isSent: false, continues: false, tenant: "blue" },
      );
    },
  );

  it.each(["01", "00"])("is linked to its caller by policy link, with flags %s", async (flags) => {
    choose(everywhere("link"));
    expect(await request(flags)).toEqual({
      isSent: true,
      continues: false,
      links: [SPAN_ID],
      tenant: undefined,
    });
  });

  it.each(["01", "00"])("knows no caller by policy ignore, with flags %s", async (flags) => {
    choose(everywhere("ignore"));
    expect(await request(flags)).toEqual({
      isSent: true,
      continues: false,
      links: [],
      tenant: undefined,
    });
  });
});

describe("a record", () => {
  async function receive(flags: string) {
    let seen: string | undefined;
    await withTracing(async ({ Records }: SQSEvent) => {
      for (const _record of Records) seen = tenant();
    })(sqsEvent(flags));
    const consumers = traced.spans().filter((span) => span.name === "process orders");
    const record = consumers.find((span) => "messaging.message.id" in span.attributes);
    const batch = consumers.find((span) => span !== record);
    return {
      isSent: record !== undefined,
      continues: record?.spanContext().traceId === TRACE_ID,
      isOfBatch: record?.parentSpanContext?.spanId === batch?.spanContext().spanId,
      links: record?.links.map(({ context }) => context.spanId === SPAN_ID),
      batchLinks: batch?.links.map(({ context }) => context.spanId),
      tenant: seen,
    };
  }

  it.each(["01", "00"])(
    "continues its producer's trace by policy parent, with flags %s",
    async (flags) => {
      choose(everywhere("parent"));
      expect(await receive(flags)).toEqual(
        flags === "01"
          ? {
              isSent: true,
              continues: true,
              isOfBatch: false,
              links: [false],
              batchLinks: [SPAN_ID],
              tenant: "blue",
            }
          : {
              isSent: false,
              continues: false,
              isOfBatch: false,
              batchLinks: [SPAN_ID],
              tenant: "blue",
            },
      );
    },
  );

  it.each(["01", "00"])(
    "is the batch's child with a link by policy link, with flags %s",
    async (flags) => {
      choose(everywhere("link"));
      expect(await receive(flags)).toEqual({
        isSent: true,
        continues: false,
        isOfBatch: true,
        links: [true],
        batchLinks: [SPAN_ID],
        tenant: undefined,
      });
    },
  );

  it.each(["01", "00"])(
    "is the batch's child alone by policy ignore, with flags %s",
    async (flags) => {
      choose(everywhere("ignore"));
      expect(await receive(flags)).toEqual({
        isSent: true,
        continues: false,
        isOfBatch: true,
        links: [],
        batchLinks: [],
        tenant: undefined,
      });
    },
  );
});

describe("a message with X-Ray's header only", () => {
  const xray = createPropagators(["xray"], () => undefined).carrier;

  async function receive(sampled: "0" | "1") {
    const event = fixture("sqs-trace-context") as SQSEvent;
    const [, message] = event.Records;
    if (message === undefined) throw new Error("no such record");
    message.attributes.AWSTraceHeader = `Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=${SPAN_ID};Sampled=${sampled}`;
    await withTracing(async (_event: SQSEvent) => {})({ Records: [message] });
    const record = traced.spans().find((span) => "messaging.message.id" in span.attributes);
    return (
      record && { parent: record.parentSpanContext?.spanId === SPAN_ID, links: record.links.length }
    );
  }

  it("continues a trace that somebody samples", async () => {
    expect(await receive("1")).toEqual({ parent: true, links: 1 });
  });

  it("is only linked where nobody does, for Lambda says Sampled=0 for every function untraced", async () => {
    expect(await receive("0")).toEqual({ parent: false, links: 1 });
  });

  it("is not sampled when X-Ray was chosen, and decided so", async () => {
    setLifecycle({
      ...traced.lifecycle,
      extractMessage: (carrier) => xray.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter),
    });
    expect(await receive("0")).toBeUndefined();
  });
});

describe("the policy", () => {
  async function linked(event: unknown, options = {}): Promise<boolean> {
    traced.reset();
    await withTracing(async (_event: unknown) => ({ statusCode: 200 }), options)(event);
    return traced.spans().every((span) => span.spanContext().traceId !== TRACE_ID);
  }

  it("is the option's, else the source's, else the trigger's, else the default", async () => {
    choose({ default: "parent", bySource: { http: "link", "api-gateway-v2": "parent" } });
    expect(await linked(fixture("api-gateway-v1"))).toBe(true);
    expect(await linked(fixture("api-gateway-v2"))).toBe(false);
    expect(await linked(fixture("api-gateway-v2"), { inboundContext: "link" })).toBe(true);
    expect(await linked(fixture("kinesis"))).toBe(false);
    choose({ default: "link", bySource: { pubsub: "parent" } });
    expect(await linked(fixture("api-gateway-v2"))).toBe(true);
    expect(await linked(fixture("kinesis"))).toBe(false);
  });

  it("leaves the parent of a handler that is called inside a span of this process", async () => {
    choose(everywhere("link"));
    await trace.getTracer("caller").startActiveSpan("caller", async (caller) => {
      await withTracing(async (_event: unknown) => ({ statusCode: 200 }))(httpEvent("01"));
      const [span] = traced.spans();
      expect(span?.parentSpanContext?.spanId).toBe(caller.spanContext().spanId);
      expect(span?.links.map(({ context }) => context.spanId)).toEqual([SPAN_ID]);
    });
  });
});
