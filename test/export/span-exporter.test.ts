import { ExportResultCode } from "@opentelemetry/core";
import { InMemorySpanExporter, type SpanExporter } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import type { Destination } from "../../src/export/destination.ts";
import { createDestination } from "../../src/export/destinations.ts";
import { makeSpans } from "../support/sample-spans.ts";

const TIMEOUT_MS = 1000;

function open(own: Partial<SpanExporter>): Promise<Destination> {
  const exporter = { export: () => undefined, shutdown: async () => undefined, ...own };
  return createDestination({ kind: "custom", exporter });
}

test("an exporter object gets the spans themselves", async () => {
  const exporter = new InMemorySpanExporter();
  const destination = await createDestination({ kind: "custom", exporter });
  const spans = makeSpans();

  const request = destination.encode(spans);
  const outcome = await destination.send(request, TIMEOUT_MS);

  expect(outcome).toEqual({ status: "success" });
  expect(exporter.getFinishedSpans()).toEqual(spans);
  expect(request.byteLength).toBe(0);
  expect(destination.name).toBe("InMemorySpanExporter");
});

test("its failure is final", async () => {
  const error = new Error("no");
  const destination = await open({
    export: (_spans, done) => done({ code: ExportResultCode.FAILED, error }),
  });

  expect(await destination.send(destination.encode([]), TIMEOUT_MS)).toEqual({
    status: "failure",
    error,
  });
});

test("what it throws is its failure", async () => {
  const error = new Error("thrown");
  const destination = await open({
    export: () => {
      throw error;
    },
    shutdown: () => {
      throw error;
    },
  });

  expect(await destination.send(destination.encode([]), TIMEOUT_MS)).toEqual({
    status: "failure",
    error,
  });
  expect(() => destination.shutdown()).not.toThrow();
});

test("silence is bounded and leaves the spans in doubt", async () => {
  const destination = await open({});

  expect(await destination.send(destination.encode([]), 50)).toMatchObject({
    status: "retryable",
    answerLost: true,
  });
});

test("what it buffers is flushed before a send counts as done", async () => {
  const events: string[] = [];
  const destination = await open({
    export: (_spans, done) => {
      events.push("export");
      done({ code: ExportResultCode.SUCCESS });
    },
    forceFlush: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      events.push("flushed");
    },
  });

  await destination.send(destination.encode([]), TIMEOUT_MS);

  expect(events).toEqual(["export", "flushed"]);
});
