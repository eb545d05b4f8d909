import { setTimeout as sleep } from "node:timers/promises";
import { context, trace } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { SQSEvent, SQSRecord } from "aws-lambda";
import { beforeEach, describe, expect, it } from "vitest";
import { withTracing } from "../../src/trace/handler.ts";
import { producer, sqsEvent } from "../support/sqs.ts";
import { startTraced } from "../support/traced.ts";

const traced = startTraced();
const tracer = trace.getTracer("handler");

beforeEach(() => traced.reset());

/** A span of the handler's own, started where it is called. */
function mark(name: string): void {
  tracer.startSpan(name).end();
}

async function work(record: SQSRecord): Promise<void> {
  mark(`before ${record.messageId}`);
  await sleep(1);
  mark(`after ${record.messageId}`);
}

function parentName(name: string): string {
  const [span] = traced.named(name);
  if (span === undefined) throw new Error(`no span named ${name}`);
  const parent = traced
    .spans()
    .find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);
  if (parent === undefined) return "none";
  const messageId = parent.attributes["messaging.message.id"];
  return messageId === undefined ? parent.name : String(messageId);
}

const RECORD_SPAN = (span: ReadableSpan) => span.attributes["messaging.message.id"] !== undefined;

function recordSpan(n: number): ReadableSpan {
  const span = traced
    .spans()
    .find((each) => each.attributes["messaging.message.id"] === `message-${n}`);
  if (span === undefined) throw new Error(`no span of message-${n}`);
  return span;
}

const loops: Record<string, (event: SQSEvent) => Promise<unknown>> = {
  "for…of with await": async ({ Records }) => {
    for (const record of Records) await work(record);
  },
  "for…of over entries()": async ({ Records }) => {
    for (const [, record] of Records.entries()) await work(record);
  },
  "for…of over values()": async ({ Records }) => {
    for (const record of Records.values()) await work(record);
  },
  "for await": async ({ Records }) => {
    for await (const record of Records) await work(record);
  },
  "Promise.all over map": ({ Records }) => Promise.all(Records.map(work)),
  "Promise.all over map with an async function": ({ Records }) =>
    Promise.all(
      Records.map(async (record) => {
        await work(record);
      }),
    ),
  "a look at the bodies first": async ({ Records }) => {
    const bodies = Records.map((record) => record.body);
    const [first, ...rest] = Records;
    expect([...Records].length).toBe(bodies.length);
    expect([first, ...rest]).toEqual([...Records]);
    for (const record of Records) await work(record);
  },
};

describe.each(Object.entries(loops))("%s", (_, loop) => {
  it("makes each record's span current in its own turn, and only there", async () => {
    const handler = withTracing(async (event: SQSEvent) => {
      mark("before the loop");
      await loop(event);
      mark("after the loop");
    });
    await handler(sqsEvent(3));
    for (const n of [1, 2, 3]) {
      expect(parentName(`before message-${n}`)).toBe(`message-${n}`);
      expect(parentName(`after message-${n}`)).toBe(`message-${n}`);
      expect(recordSpan(n).spanContext().traceId).toBe(producer(n).traceId);
    }
    expect(parentName("before the loop")).toBe("orders-function");
    expect(parentName("after the loop")).toBe("orders-function");
    expect(traced.spans().filter(RECORD_SPAN)).toHaveLength(3);
  });

  it("leaves no record current in code that awaited a function holding the loop", async () => {
    const holdLoop = async (event: SQSEvent) => {
      await loop(event);
    };
    const handler = withTracing(async (event: SQSEvent) => {
      const held = holdLoop(event);
      await held;
      mark("afterwards");
      await sleep(1);
      mark("much later");
    });
    await handler(sqsEvent(2));
    expect(parentName("afterwards")).toBe("orders-function");
    expect(parentName("much later")).toBe("orders-function");
  });
});

describe("a sequential loop", () => {
  it("ends a record's span when the next turn begins", async () => {
    await withTracing(loops["for…of with await"] as (event: SQSEvent) => Promise<unknown>)(
      sqsEvent(3),
    );
    const end = (n: number) => recordSpan(n).endTime;
    const start = (n: number) => recordSpan(n).startTime;
    const isBefore = (a: [number, number], b: [number, number]) =>
      a[0] < b[0] || (a[0] === b[0] && a[1] <= b[1]);
    expect(isBefore(end(1), start(2))).toBe(true);
    expect(isBefore(end(2), start(3))).toBe(true);
  });

  it("gives the record at which it was left the error that then fails the handler", async () => {
    const handler = withTracing(async (event: SQSEvent) => {
      for (const record of event.Records) {
        await sleep(1);
        if (record.messageId === "message-2") throw new RangeError("no such order");
      }
    });
    await expect(handler(sqsEvent(3))).rejects.toThrow("no such order");
    expect(recordSpan(1).status.code).toBe(0);
    expect(recordSpan(2).status).toEqual({ code: 2, message: "no such order" });
    expect(recordSpan(2).attributes["error.type"]).toBe("RangeError");
    expect(recordSpan(3).status).toEqual({ code: 2, message: "no such order" });
    // The exception is where it was thrown, and not on everything that it took down.
    expect(recordSpan(2).events.map((event) => event.name)).toEqual(["exception"]);
    expect(recordSpan(3).events).toEqual([]);
  });

  it("goes on as a plain iterator does after it was left and taken up again", () => {
    const handler = withTracing((event: SQSEvent) => {
      const iterator = event.Records.values();
      for (const _ of iterator) break;
      return [...iterator].map((record) => record.messageId);
    });
    expect(handler(sqsEvent(3))).toEqual(["message-2", "message-3"]);
  });

  it("is watched without await too, once its body makes spans", () => {
    const handler = withTracing((event: SQSEvent) => {
      for (const record of event.Records) mark(`body ${record.messageId}`);
      mark("after the loop");
    });
    handler(sqsEvent(2));
    expect(parentName("body message-1")).toBe("message-1");
    expect(parentName("body message-2")).toBe("message-2");
    expect(parentName("after the loop")).toBe("orders-function");
  });

  it("keeps a record current in work that its turn began and did not await", async () => {
    const handler = withTracing(async (event: SQSEvent) => {
      const tasks: Promise<void>[] = [];
      for (const record of event.Records) {
        tasks.push(
          (async () => {
            await sleep(1);
            mark(`late ${record.messageId}`);
          })(),
        );
      }
      await Promise.all(tasks);
      mark("after the loop");
    });
    await handler(sqsEvent(2));
    expect(parentName("late message-1")).toBe("message-1");
    expect(parentName("late message-2")).toBe("message-2");
    expect(parentName("after the loop")).toBe("orders-function");
  });
});

describe("forEach", () => {
  it("follows an asynchronous callback to its end", async () => {
    const handler = withTracing(async (event: SQSEvent) => {
      const done: string[] = [];
      event.Records.forEach(async (record) => {
        await work(record);
        done.push(record.messageId);
      });
      while (done.length < 2) await sleep(1);
      mark("afterwards");
    });
    await handler(sqsEvent(2));
    expect(parentName("after message-1")).toBe("message-1");
    expect(parentName("after message-2")).toBe("message-2");
    expect(parentName("afterwards")).toBe("orders-function");
  });
});

describe("records read in another way", () => {
  it("get spans that cover the invocation", async () => {
    const handler = withTracing(async (event: SQSEvent) => {
      for (let index = 0; index < event.Records.length; index++) {
        const record = event.Records[index];
        if (record !== undefined) await work(record);
      }
    });
    await handler(sqsEvent(2));
    const [invocation] = traced.named("orders-function");
    expect(parentName("after message-2")).toBe("orders-function");
    for (const n of [1, 2]) expect(recordSpan(n).startTime).toEqual(invocation?.startTime);
  });
});

describe("a watched array", () => {
  it("is cloned, serialised, compared and read as if nobody watched", async () => {
    const handler = withTracing(async (event: SQSEvent) => {
      const bare = JSON.parse(JSON.stringify(event)) as SQSEvent;
      expect(structuredClone(event)).toEqual(bare);
      expect(Object.keys(event.Records)).toEqual(Object.keys(bare.Records));
      expect(Array.isArray(event.Records)).toBe(true);
      expect(event.Records.slice(1)).toEqual(bare.Records.slice(1));
      expect(event.Records.filter(() => true)).toEqual(bare.Records);
      expect(Array.from(event.Records)).toEqual(bare.Records);
      expect(event.Records.map((record) => record.messageId)).toEqual(
        bare.Records.map((record) => record.messageId),
      );
      expect(
        event.Records.values()
          .map((record) => record.messageId)
          .toArray(),
      ).toEqual(bare.Records.map((record) => record.messageId));
      expect(Object.prototype.toString.call(event.Records.values())).toBe(
        "[object Array Iterator]",
      );
      expect(() => event.Records.map(undefined as never)).toThrow(TypeError);
      expect(() => event.Records.forEach("no function" as never)).toThrow(TypeError);
      return "done";
    });
    expect(await handler(sqsEvent(3))).toBe("done");
  });

  it("makes the right record current after the handler has sorted, cut or added records", async () => {
    const handler = withTracing(async (event: SQSEvent) => {
      const { Records } = event;
      Records.reverse();
      Records.splice(1, 1);
      Records.push({ ...(Records[0] as SQSRecord), messageId: "added" });
      for (const record of Records) mark(`seen ${record.messageId}`);
    });
    await handler(sqsEvent(3));
    expect(parentName("seen message-3")).toBe("message-3");
    expect(parentName("seen message-1")).toBe("message-1");
    expect(parentName("seen added")).toBe("orders-function");
    expect(traced.spans().filter(RECORD_SPAN)).toHaveLength(3);
  });

  it("passes index, array and this on to the callback", () => {
    const seen: unknown[] = [];
    const self = { me: true };
    const handler = withTracing((event: SQSEvent) => {
      event.Records.forEach(function (this: unknown, record, index, array) {
        seen.push(this, record, index, array);
      }, self);
      expect(seen).toEqual([self, event.Records[0], 0, event.Records]);
    });
    handler(sqsEvent(1));
    expect(seen).toHaveLength(4);
  });

  it("hands out promises that can more than settle as they came from the callback", async () => {
    let asked = 0;
    class Query extends Promise<string> {
      static override readonly [Symbol.species] = Promise;
    }
    // biome-ignore lint/suspicious/noThenProperty: drivers have queries that run when they are awaited
    Query.prototype.then = function (this: Promise<string>, ...settlers) {
      asked++;
      return Promise.prototype.then.apply(this, settlers) as never;
    };
    const query = new Query((resolve) => resolve("rows"));
    const process = Object.assign(Promise.resolve(0), { kill: () => true });
    const handler = withTracing(async (event: SQSEvent) => {
      const results = event.Records.map((_, index) => (index === 0 ? query : process));
      expect(results[0]).toBe(query);
      expect(results[1]).toBe(process);
      expect(asked).toBe(0);
      await sleep(1);
    });
    await handler(sqsEvent(2));
    expect(traced.spans().filter(RECORD_SPAN)).toHaveLength(2);
  });

  it("leaves a rejection as unhandled as the handler left it", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", note);
    try {
      const handler = withTracing(async (event: SQSEvent) => {
        void event.Records.map(async () => Promise.reject(new Error("nobody looks")));
        await Promise.allSettled(event.Records.map(async () => Promise.reject(new Error("seen"))));
        await sleep(5);
      });
      await handler(sqsEvent(1));
      expect(unhandled.map(String)).toEqual(["Error: nobody looks"]);
    } finally {
      process.removeListener("unhandledRejection", note);
      for (const listener of listeners) process.on("unhandledRejection", listener);
    }
  });
});

describe("an ended record", () => {
  it("is never current again, not even in work it left behind", async () => {
    let later: (() => void) | undefined;
    const handler = withTracing(async (event: SQSEvent) => {
      await Promise.all(
        event.Records.map(async () => {
          later = context.bind(context.active(), () => mark("left behind"));
          await sleep(1);
        }),
      );
      later?.();
    });
    await handler(sqsEvent(1));
    expect(parentName("left behind")).toBe("orders-function");
  });
});
