/** One environment's life: cold start, freezes, a collector that is away, two copies of the library. */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTaskRoot, type TaskRoot } from "../runtimes/task-root.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../src/dev/otlp-receiver.ts";
import { deploy, RUNTIMES } from "./support/deployed.ts";
import { sqsEvent } from "./support/sqs.ts";

const FREEZE_MS = 600;
const FREEZES = 3;
const FLUSH_TIMEOUT_MS = 300;
/** What a busy machine may add to a bounded wait before the bound itself is in doubt. */
const SLACK_MS = 1_500;

const FOR_OF = { clientContext: { custom: { variant: "for…of with await" } } };

let receiver: OtlpReceiver;
let esm: TaskRoot;
let cjs: TaskRoot;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  [esm, cjs] = await Promise.all([
    createTaskRoot("test/fixtures/functions/orders.ts", "esm"),
    createTaskRoot("test/fixtures/functions/orders.ts", "cjs"),
  ]);
});

beforeEach(() => receiver.clear());

afterAll(async () => {
  await receiver.close();
  await Promise.all([esm.remove(), cjs.remove()]);
});

describe.concurrent.each(RUNTIMES)("Node $node with runtime client $ric", (runtime) => {
  it("loses and doubles no span over freezes that begin when the response is posted", async ({
    expect,
  }) => {
    const own = await startOtlpReceiver();
    const started = await deploy(runtime, esm, {
      handler: "app.traced",
      freezeWhenIdle: true,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: own.grpcUrl },
    });
    try {
      for (let n = 0; n < FREEZES; n++) {
        const result = await started.invoke(sqsEvent(3), FOR_OF);
        expect(result.body.toString()).toBe('["message-1","message-2","message-3"]');
        await sleep(FREEZE_MS);
      }
      // Invocation, batch, three records and their work; once the init span.
      const spans = await own.waitForSpans(FREEZES * 8 + 1);
      expect(spans).toHaveLength(FREEZES * 8 + 1);
      expect(own.duplicates()).toEqual([]);
    } finally {
      await started.close();
      await own.close();
    }
  });
});

describe("a cold start", () => {
  it("has an init span from process start to handler loaded, under the first invocation only", async () => {
    const beforeStart = BigInt(Date.now()) * 1_000_000n;
    const started = await deploy({ node: 24, ric: 4 }, esm, {
      handler: "app.traced",
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl },
    });
    try {
      await started.invoke(sqsEvent(1), FOR_OF);
      await started.invoke(sqsEvent(1), FOR_OF);
      const spans = await receiver.waitForSpans(9);
      const [init, ...others] = spans.filter((span) => span.name === "init");
      const [first, second] = spans.filter((span) => span.kind === "SERVER");
      expect(others).toEqual([]);
      expect(init).toMatchObject({ kind: "INTERNAL", parentSpanId: first?.spanId });
      expect(first?.attributes["faas.coldstart"]).toBe(true);
      expect(second?.attributes["faas.coldstart"]).toBe(false);
      const startTime = init?.startTimeUnixNano ?? 0n;
      const endTime = init?.endTimeUnixNano ?? 0n;
      expect(startTime >= beforeStart - 1_000_000n).toBe(true);
      expect(endTime > startTime && endTime < (first?.startTimeUnixNano ?? 0n)).toBe(true);
    } finally {
      await started.close();
    }
  });

  it("is none on provisioned concurrency", async () => {
    const started = await deploy({ node: 24, ric: 4 }, esm, {
      handler: "app.traced",
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
        AWS_LAMBDA_INITIALIZATION_TYPE: "provisioned-concurrency",
      },
    });
    try {
      await started.invoke(sqsEvent(1), FOR_OF);
      const spans = await receiver.waitForSpans(4);
      expect(spans.map((span) => span.name)).not.toContain("init");
      const [invocation] = spans.filter((span) => span.kind === "SERVER");
      expect(invocation?.attributes["faas.coldstart"]).toBe(false);
    } finally {
      await started.close();
    }
  });

  it("tells what runs as the resource", async () => {
    const started = await deploy({ node: 24, ric: 4 }, cjs, {
      handler: "app.traced",
      functionName: "charge-orders",
      memoryMb: 512,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=pre%20prod",
        CX_APPLICATION: "shop",
        CX_SUBSYSTEM: "orders",
      },
    });
    try {
      await started.invoke(sqsEvent(1), FOR_OF);
      const [span] = await receiver.waitForSpans(5);
      expect(span?.resource).toMatchObject({
        "service.name": "charge-orders",
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": "us-east-1",
        "faas.name": "charge-orders",
        "faas.version": "$LATEST",
        "faas.max_memory": 512 * 1_048_576,
        "process.runtime.name": "nodejs",
        "deployment.environment.name": "pre prod",
        "cx.application.name": "shop",
        "cx.subsystem.name": "orders",
      });
    } finally {
      await started.close();
    }
  });
});

describe("an absent collector", () => {
  it("costs no more than the flush bound, and never the result", async () => {
    const hole = await startBlackHole();
    const started = await deploy({ node: 24, ric: 4 }, esm, {
      handler: "app.traced",
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${hole.port}`,
        COLDSPAN_FLUSH_TIMEOUT_MS: String(FLUSH_TIMEOUT_MS),
      },
    });
    try {
      const result = await started.invoke(sqsEvent(2), FOR_OF);
      expect(result.body.toString()).toBe('["message-1","message-2"]');
      const tookMs = result.postedMs - (result.handedOutMs ?? 0);
      expect(tookMs).toBeLessThan(FLUSH_TIMEOUT_MS + SLACK_MS);
    } finally {
      await started.close();
      await hole.close();
    }
  });
});

describe("one SDK and one wrapping", () => {
  it.each(["app.traced", "app.twice"])(
    "of %s, preloaded by both builds of the package",
    async (handler) => {
      const started = await deploy({ node: 24, ric: 4 }, esm, {
        handler,
        execArgv: ["--import", "coldspan/init", "--require", "coldspan/init"],
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl },
      });
      try {
        await started.invoke(sqsEvent(1), FOR_OF);
        await started.invoke(sqsEvent(1), FOR_OF);
        const spans = await receiver.waitForSpans(9);
        expect(spans.filter((span) => span.kind === "SERVER")).toHaveLength(2);
        expect(spans).toHaveLength(9);
      } finally {
        await started.close();
      }
    },
  );
});

/** Accepts connections and never says a word. */
async function startBlackHole(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((socket) => socket.resume().on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
