/** Received spans made by hand, for tests of what is drawn of them. */
import type { ReceivedSpan } from "../../src/dev/received-span.ts";

const START_MS = 1_795_000_000_000;

export interface SpanSketch extends Partial<Omit<ReceivedSpan, "resource">> {
  readonly spanId: string;
  /** Ms after the first moment of the story, and how long it took. */
  readonly at?: number;
  readonly took?: number;
  readonly service?: string;
}

const PRODUCER_TRACE = "0af7651916cd43dd8448eb211c80319c";
const FUNCTION_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

export function sketch({ at = 0, took = 1, service = "shop", ...own }: SpanSketch): ReceivedSpan {
  return {
    traceId: PRODUCER_TRACE,
    parentSpanId: undefined,
    traceState: "",
    flags: 0x101,
    name: own.spanId,
    kind: "INTERNAL",
    startTimeUnixNano: toNanos(at),
    endTimeUnixNano: toNanos(at + took),
    attributes: {},
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: "UNSET", message: "" },
    resource: { "service.name": service },
    scope: { name: "sketch", version: "", attributes: {} },
    requestIndex: 0,
    ...own,
  };
}

export function linkTo(traceId: string, spanId: string): ReceivedSpan["links"][number] {
  return {
    traceId,
    spanId,
    traceState: "",
    flags: 0x301,
    attributes: {},
    droppedAttributesCount: 0,
  };
}

/** A producer, a queue and a cold function of two messages, one of which fails. */
export function sketchOrders(): ReceivedSpan[] {
  const order = (n: number, own: Partial<SpanSketch>) =>
    sketch({
      spanId: `order-${n}`,
      parentSpanId: "send",
      name: "process orders",
      kind: "CONSUMER",
      service: "order-processor",
      attributes: { "messaging.message.id": `m-${n}` },
      links: [linkTo(FUNCTION_TRACE, "batch")],
      ...own,
    });
  const invocation = { traceId: FUNCTION_TRACE, service: "order-processor" };
  return [
    sketch({
      ...invocation,
      spanId: "init",
      parentSpanId: "server",
      name: "init",
      at: -180,
      took: 170,
    }),
    sketch({
      ...invocation,
      spanId: "server",
      name: "order-processor",
      kind: "SERVER",
      at: 24,
      took: 18.4,
      attributes: { "faas.coldstart": true },
    }),
    sketch({
      ...invocation,
      spanId: "batch",
      parentSpanId: "server",
      name: "process orders",
      kind: "CONSUMER",
      at: 25,
      took: 16,
      attributes: { "messaging.batch.message_count": 2 },
      links: [linkTo(PRODUCER_TRACE, "send"), linkTo("f".repeat(32), "00f067aa0ba902b7")],
    }),
    order(2, {
      at: 33,
      took: 0.412,
      status: { code: "ERROR", message: "order 2 has no customer" },
      events: [
        {
          name: "exception",
          timeUnixNano: 0n,
          attributes: {
            "exception.type": "TypeError",
            "exception.message": "order 2 has no customer",
          },
          droppedAttributesCount: 0,
        },
      ],
    }),
    order(1, { at: 26, took: 7.31 }),
    sketch({
      spanId: "put",
      parentSpanId: "order-1",
      name: "PutItem orders",
      kind: "CLIENT",
      service: "order-processor",
      at: 27,
      took: 5,
    }),
    sketch({ spanId: "send", name: "send orders", kind: "PRODUCER", at: 0, took: 2.05 }),
  ];
}

function toNanos(ms: number): bigint {
  return BigInt(START_MS) * 1_000_000n + BigInt(Math.round(ms * 1e6));
}
