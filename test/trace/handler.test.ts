import { context, trace } from "@opentelemetry/api";
import { beforeEach, describe, expect, it } from "vitest";
import { setLifecycle } from "../../src/seam.ts";
import { withTracing } from "../../src/trace/handler.ts";
import { sqsEvent } from "../support/sqs.ts";
import { startTraced } from "../support/traced.ts";

const traced = startTraced();

beforeEach(() => traced.reset());

const lambdaContext = {
  functionName: "orders-function",
  functionVersion: "7",
  awsRequestId: "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
  invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:orders-function:live",
  getRemainingTimeInMillis: () => 3_000,
};

describe("a wrapped handler", () => {
  it("keeps name, length and type of the handler", () => {
    async function placeOrder(_event: unknown, _context: unknown): Promise<string> {
      return "placed";
    }
    const wrapped = withTracing(placeOrder);
    expect(wrapped.name).toBe("placeOrder");
    expect(wrapped.length).toBe(2);
    const typed: typeof placeOrder = wrapped;
    expect(typed).toBe(wrapped);
  });

  it("returns a synchronous result synchronously, and the very same value", () => {
    const result = { statusCode: 200 };
    expect(withTracing((_event: unknown) => result)({})).toBe(result);
    expect(traced.spans()).toHaveLength(1);
  });

  it("resolves with the very same value", async () => {
    const result = { statusCode: 200 };
    await expect(withTracing(async (_event: unknown) => result)({})).resolves.toBe(result);
  });

  it("throws synchronously what the handler throws synchronously", () => {
    const error = new Error("sync");
    const handler = withTracing(() => {
      throw error;
    });
    expect(handler).toThrow(error);
    expect(traced.spans()[0]?.status).toEqual({ code: 2, message: "sync" });
  });

  it.each([
    ["an error", new TypeError("broken"), "TypeError", "broken"],
    ["a frozen error", Object.freeze(new RangeError("frozen")), "RangeError", "frozen"],
    ["undefined", undefined, "undefined", "undefined"],
    ["null", null, "object", "null"],
    ["a string", "just text", "string", "just text"],
    [
      "an object without prototype",
      Object.create(null),
      "_OTHER",
      "the thrown value cannot be read",
    ],
  ])("rejects with the very same thrown value: %s", async (_, thrown, errorType, message) => {
    const handler = withTracing(async () => {
      throw thrown;
    });
    await expect(
      handler().then(
        () => "resolved",
        (error: unknown) => Object.is(error, thrown),
      ),
    ).resolves.toBe(true);
    const [span] = traced.spans();
    expect(span?.status).toEqual({ code: 2, message });
    expect(span?.attributes["error.type"]).toBe(errorType);
    expect(span?.events.map((event) => event.name)).toEqual(["exception"]);
  });

  it.each([null, undefined, 0, "text", [1], true])(
    "takes an event that is no object: %j",
    async (event) => {
      const handler = withTracing(async (received: unknown) => received);
      await expect(handler(event)).resolves.toBe(event);
      expect(traced.spans()).toHaveLength(1);
    },
  );

  it("settles a promise-like of the handler's once", async () => {
    let asked = 0;
    const lazy = {
      // biome-ignore lint/suspicious/noThenProperty: a query builder that runs when it is awaited
      then(resolve: (value: string) => void) {
        asked++;
        resolve("rows");
      },
    };
    await expect(withTracing((_event: unknown) => lazy)({})).resolves.toBe("rows");
    expect(asked).toBe(1);
  });

  it("keeps this, for handlers that are methods", () => {
    class Shop {
      readonly name = "shop";
      handle = withTracing(function (this: Shop) {
        return this.name;
      });
    }
    expect(new Shop().handle()).toBe("shop");
  });

  it("is returned as it is when it is wrapped already", () => {
    const once = withTracing(async () => {});
    expect(withTracing(once)).toBe(once);
  });

  it("is the handler itself when tracing is disabled", () => {
    const handler = async () => {};
    setLifecycle(null);
    try {
      expect(withTracing(handler)).toBe(handler);
    } finally {
      setLifecycle(traced.lifecycle);
    }
  });

  it("copies the runtime's streaming symbols", () => {
    const streaming = Symbol.for("aws.lambda.runtime.handler.streaming");
    const highWaterMark = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
    const handler = Object.assign(async () => {}, {
      [streaming]: "response",
      [highWaterMark]: 1024,
    });
    const wrapped = withTracing(handler);
    expect(wrapped[streaming]).toBe("response");
    expect(wrapped[highWaterMark]).toBe(1024);
  });

  it("shows what a middleware engine hangs on its handlers", () => {
    const used: string[] = [];
    const handler = Object.assign(async () => used.join(), {
      use: (name: string) => used.push(name),
    });
    const wrapped = withTracing(handler);
    wrapped.use("validation");
    expect(used).toEqual(["validation"]);
    expect(Object.keys(wrapped)).toEqual([]);
  });

  it("refuses what is no function, naming what it got", () => {
    expect(() => withTracing(undefined as never)).toThrow(
      new TypeError("withTracing: expected a handler function, got undefined"),
    );
  });
});

describe("the invocation span", () => {
  it("says what the Lambda context says, with the alias resolved", async () => {
    await withTracing(async (_event: unknown, _context: unknown) => {})({}, lambdaContext);
    const [span] = traced.spans();
    expect(span?.name).toBe("orders-function");
    expect(span?.kind).toBe(1);
    expect(span?.attributes).toEqual({
      "faas.trigger": "other",
      "coldspan.event.source": "other",
      "faas.coldstart": false,
      "faas.invocation_id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
      "cloud.account.id": "123456789012",
      "cloud.resource_id": "arn:aws:lambda:us-east-1:123456789012:function:orders-function:7",
      "aws.lambda.invoked_arn":
        "arn:aws:lambda:us-east-1:123456789012:function:orders-function:live",
    });
  });

  it("is current in the handler, synchronously and after await", async () => {
    const seen: unknown[] = [];
    await withTracing(async () => {
      seen.push(trace.getActiveSpan());
      await Promise.resolve();
      seen.push(trace.getActiveSpan());
    })();
    expect(seen[0]).toBeDefined();
    expect(seen[0]).toBe(seen[1]);
    expect(trace.getSpan(context.active())).toBeUndefined();
  });

  it("takes names, attributes and hooks from the options", async () => {
    const handler = withTracing(async (_event: { shop: string }) => "ok", {
      names: { invocation: (event) => `shop ${(event as { shop: string }).shop}` },
      attributes: { "deployment.environment.name": "test" },
      onInvocation: (span) => span.setAttribute("hook", "invocation"),
      onResponse: (span, result) => span.setAttribute("result", String(result)),
    });
    await handler({ shop: "north" });
    const [span] = traced.spans();
    expect(span?.name).toBe("shop north");
    expect(span?.attributes).toMatchObject({
      "deployment.environment.name": "test",
      hook: "invocation",
      result: "ok",
    });
  });

  it("survives hooks and names that throw", async () => {
    const fail = () => {
      throw new Error("not my day");
    };
    const handler = withTracing(async () => "ok", {
      names: { invocation: fail },
      onInvocation: fail,
      onResponse: fail,
    });
    await expect(handler()).resolves.toBe("ok");
    expect(traced.spans().map((span) => span.name)).toEqual(["orders-function"]);
  });

  it("waits before the answer for what the end of the invocation asks to wait for", async () => {
    const order: string[] = [];
    setLifecycle({
      ...traced.lifecycle,
      invocationEnded: () => Promise.resolve().then(() => void order.push("flushed")),
    });
    try {
      await withTracing(async () => "ok")().then(() => order.push("answered"));
      await withTracing(async () => Promise.reject(new Error("failed")))().catch(() =>
        order.push("rejected"),
      );
      expect(order).toEqual(["flushed", "answered", "flushed", "rejected"]);
    } finally {
      setLifecycle(traced.lifecycle);
    }
  });

  it("ends once, as timed out, when the deadline comes first", async () => {
    let abort: ((errorType: string, message: string) => void) | undefined;
    setLifecycle({
      ...traced.lifecycle,
      invocationStarted: (invocation) => {
        abort = (errorType, message) => invocation.abort(errorType, message);
      },
    });
    try {
      const handler = withTracing(async (_event: unknown) => {
        abort?.("timeout", "the function timed out");
      });
      await handler(sqsEvent(2));
    } finally {
      setLifecycle(traced.lifecycle);
    }
    expect(traced.spans().map((span) => span.attributes["error.type"])).toEqual(
      Array(4).fill("timeout"),
    );
  });
});

describe("the cold-start span", () => {
  it("lasts from process start to the handler being loaded, once, under the first invocation", async () => {
    let isCold = true;
    setLifecycle({
      ...traced.lifecycle,
      claimColdStart: () => {
        const claimed = isCold;
        isCold = false;
        return claimed;
      },
    });
    try {
      const handler = withTracing(async () => {}, { names: { init: "cold_start_canary" } });
      await handler();
      await handler();
    } finally {
      setLifecycle(traced.lifecycle);
    }
    const [init, first, second] = traced.spans();
    expect([init?.name, first?.name, second?.name]).toEqual([
      "cold_start_canary",
      "orders-function",
      "orders-function",
    ]);
    expect(init?.parentSpanContext?.spanId).toBe(first?.spanContext().spanId);
    const startMs = (init?.startTime[0] ?? 0) * 1_000 + (init?.startTime[1] ?? 0) / 1e6;
    expect(Math.abs(startMs - performance.timeOrigin)).toBeLessThan(50);
    expect(first?.attributes["faas.coldstart"]).toBe(true);
    expect(second?.attributes["faas.coldstart"]).toBe(false);
  });
});
