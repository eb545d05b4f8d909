import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { exportOnce, makeManySpans, makeSpans, REMOTE } from "../support/sample-spans.ts";

let receiver: OtlpReceiver;
let exporter: SpanExporter | undefined;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
});

afterEach(async () => {
  await exporter?.shutdown();
  await receiver.close();
  exporter = undefined;
});

const { GZIP } = CompressionAlgorithm;
const EXPORTERS = {
  grpc: () => new GrpcExporter({ url: receiver.grpcUrl }),
  "grpc, gzip": () => new GrpcExporter({ url: receiver.grpcUrl, compression: GZIP }),
  "http/protobuf": () => new ProtoExporter({ url: receiver.httpUrl }),
  "http/protobuf, gzip": () => new ProtoExporter({ url: receiver.httpUrl, compression: GZIP }),
  "http/json": () => new JsonExporter({ url: receiver.httpUrl }),
  "http/json, gzip": () => new JsonExporter({ url: receiver.httpUrl, compression: GZIP }),
};

describe.each(Object.entries(EXPORTERS))("the stock exporter over %s", (name, makeExporter) => {
  it("delivers every field of a span", async () => {
    const [child, root] = makeSpans();
    if (child === undefined || root === undefined) throw new Error("two spans expected");
    exporter = makeExporter();
    await exportOnce(exporter, [child, root]);

    const [received, receivedRoot] = await receiver.waitForSpans(2);
    const { traceId, spanId } = child.spanContext();
    expect(received).toEqual({
      traceId,
      spanId,
      parentSpanId: root.spanContext().spanId,
      traceState: "",
      flags: 0x101,
      name: "process orders",
      kind: "CONSUMER",
      startTimeUnixNano: toNanos(child.startTime),
      endTimeUnixNano: toNanos(child.endTime),
      attributes: { text: "größe", count: 3, big: 2 ** 52, ratio: 0.5, ok: true, list: ["a", "b"] },
      droppedAttributesCount: 0,
      events: [
        expect.objectContaining({ name: "retry", attributes: { attempt: 2 } }),
        expect.objectContaining({
          name: "exception",
          attributes: expect.objectContaining({ "exception.type": "TypeError" }),
        }),
      ],
      droppedEventsCount: 0,
      links: [
        {
          traceId: REMOTE.traceId,
          spanId: REMOTE.spanId,
          traceState: "",
          flags: 0x301,
          attributes: { "messaging.message.id": "m-1" },
          droppedAttributesCount: 0,
        },
      ],
      droppedLinksCount: 0,
      status: { code: "ERROR", message: "bad order" },
      resource: { "service.name": "shop", "aws.log.group.names": ["/a", "/b"] },
      scope: { name: "sample", version: "1.2.3", attributes: {} },
      requestIndex: 0,
    });
    expect(receivedRoot).toMatchObject({ name: "orders", kind: "SERVER", parentSpanId: undefined });
  });

  it("is remembered as one answered request with its size on the wire", async () => {
    exporter = makeExporter();
    await exportOnce(exporter, makeManySpans(50));

    const [request] = await receiver.waitForRequests(([first]) => first?.answered === true);
    const compressed = name.endsWith("gzip");
    expect(request).toMatchObject({
      index: 0,
      transport: name.split(",")[0],
      compressed,
      spanCount: 50,
      outcome: "accept",
      recorded: true,
    });
    const messageBytes = request?.message.length ?? 0;
    if (compressed) expect(request?.wireBytes).toBeLessThan(messageBytes);
    else expect(request?.wireBytes).toBe(messageBytes + (name === "grpc" ? 5 : 0));
    expect(request?.headers["user-agent"]).toContain("OTel-OTLP-Exporter-JavaScript/");
  });
});

describe("waiting for spans", () => {
  it("resolves once the predicate holds", async () => {
    exporter = EXPORTERS.grpc();
    const waiting = receiver.waitForSpans((spans) => spans.some(({ name }) => name === "many 2"));
    await exportOnce(exporter, makeManySpans(3));
    expect(await waiting).toHaveLength(3);
  });

  it("rejects with the predicate's own error, and the request is answered all the same", async () => {
    exporter = EXPORTERS.grpc();
    const waiting = receiver.waitForSpans((spans) => {
      if (spans.length > 0) throw new RangeError("not this one");
      return false;
    });
    const rejected = expect(waiting).rejects.toThrow("not this one");
    await exportOnce(exporter, makeManySpans(1));
    await rejected;
  });

  it("rejects with a list of what did arrive", async () => {
    exporter = EXPORTERS.grpc();
    await exportOnce(exporter, makeSpans());
    await expect(receiver.waitForSpans(3, 20)).rejects.toThrow(
      /Waited 20 ms for 3 spans; 2 spans arrived in 1 requests\.\n {2}request 0: grpc, 2 spans, accept, recorded, answered\n {2}CONSUMER "process orders" trace/,
    );
  });
});

it("names spans that came twice, and that the first had been answered", async () => {
  exporter = EXPORTERS["http/protobuf"]();
  const spans = makeManySpans(2, "twice");
  await exportOnce(exporter, spans);
  await exportOnce(exporter, spans.slice(1));
  expect(receiver.duplicates()).toEqual([
    expect.objectContaining({ name: "twice 1", requestIndexes: [0, 1], afterAnswer: true }),
  ]);
});

it("forgets what arrived when it is cleared", async () => {
  exporter = EXPORTERS.grpc();
  await exportOnce(exporter, makeSpans());
  receiver.clear();
  expect(receiver.spans()).toEqual([]);
  expect(receiver.requests()).toEqual([]);
});

function toNanos([seconds, nanos]: readonly [number, number]): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}
