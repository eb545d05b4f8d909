/** The collector fails while the function is invoked, and recovers. */
import { describe, expect, test } from "vitest";
import type { Behaviour } from "../../src/dev/otlp-behaviour.ts";
import type { OtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { expectAnswer, FaultFunction, SHORT_FLUSH_MS, SLACK_MS } from "./support/fault-function.ts";
import { crossed, startRow } from "./support/fault-row.ts";

/** While the collector fails: the first meets a closed breaker, the last an open one. */
const INVOCATIONS = 5;
const SPANS = 3;
/** The breaker's third pause, at its longest, and a flush. */
const RECOVERY_MS = 10_000;

interface CollectorFault {
  readonly fault: string;
  readonly begin: (receiver: OtlpReceiver) => void | Promise<void>;
  readonly end?: (receiver: OtlpReceiver) => void | Promise<void>;
  /** The answer is final: what was sent meanwhile is dropped and counted. */
  readonly isPermanent?: boolean;
}

function behaving(fault: string, behaviour: Behaviour, isPermanent = false): CollectorFault {
  return {
    fault,
    isPermanent,
    begin: (receiver) => receiver.behave(behaviour),
    end: (receiver) => receiver.behave(),
  };
}

const RETRY_SOON_MS = 200;
const GRPC = { resourceExhausted: 8, unavailable: 14 } as const;

const COMMON: readonly CollectorFault[] = [
  {
    fault: "refuses connections",
    begin: (receiver) => receiver.stop(),
    end: (receiver) => receiver.restart(),
  },
  {
    fault: "accepts connections, reads nothing",
    begin: (receiver) => {
      receiver.welcome("ignore");
      receiver.silenceConnections();
    },
    end: (receiver) => receiver.welcome("relay"),
  },
  {
    fault: "hangs up on each connection",
    begin: (receiver) => {
      receiver.welcome("hang-up");
      receiver.endConnections();
    },
    end: (receiver) => receiver.welcome("relay"),
  },
  {
    fault: "resets each connection",
    begin: (receiver) => {
      receiver.welcome("reset");
      receiver.resetConnections();
    },
    end: (receiver) => receiver.welcome("relay"),
  },
  behaving("reads, never answers", { kind: "black-hole" }),
  behaving("takes the spans, never answers", { kind: "black-hole", record: true }),
  behaving("closes without an answer", { kind: "close-connection" }),
  behaving("takes the spans, closes without an answer", { kind: "close-connection", record: true }),
  behaving("resets without an answer", { kind: "reset-connection" }),
  behaving("answers in garbage bytes", { kind: "garbage", layer: "connection" }),
  behaving("sends half a frame, closes", { kind: "half-answer", layer: "connection" }),
  behaving("HTTP 503", { kind: "http-status", status: 503 }),
  behaving("HTTP 429, Retry-After: 1", { kind: "http-status", status: 429, retryAfter: 1 }),
  behaving("HTTP 503, Retry-After: 1", { kind: "http-status", status: 503, retryAfter: 1 }),
  behaving("HTTP 400", { kind: "http-status", status: 400 }, true),
];

const OVER_GRPC: readonly CollectorFault[] = [
  behaving("UNAVAILABLE", { kind: "grpc-status", code: GRPC.unavailable }),
  behaving("UNAVAILABLE, RetryInfo", {
    kind: "grpc-status",
    code: GRPC.unavailable,
    retryDelayMs: RETRY_SOON_MS,
  }),
  behaving("UNAVAILABLE in trailers", {
    kind: "grpc-status",
    code: GRPC.unavailable,
    placement: "trailers",
  }),
  behaving("RESOURCE_EXHAUSTED", { kind: "grpc-status", code: GRPC.resourceExhausted }, true),
  behaving("RESOURCE_EXHAUSTED, RetryInfo", {
    kind: "grpc-status",
    code: GRPC.resourceExhausted,
    retryDelayMs: RETRY_SOON_MS,
  }),
  behaving("GOAWAY, request unread", { kind: "goaway", stage: "before" }),
  behaving("GOAWAY, answers, closes", { kind: "goaway", stage: "answer" }),
  behaving("GOAWAY mid-stream, closes", { kind: "goaway", stage: "cut" }),
  behaving("takes the spans, GOAWAY mid-stream", { kind: "goaway", stage: "cut", record: true }),
  behaving("RST_STREAM, REFUSED_STREAM", { kind: "reset-stream", code: 7 }),
  // Beside a status of OK an unreadable message takes nothing away from it.
  behaving("OK with a garbage message", { kind: "garbage", layer: "message", record: true }),
  behaving("OK with half a message", { kind: "half-answer", layer: "message", record: true }),
];

const OVER_HTTP: readonly CollectorFault[] = [
  behaving("200 with a garbage message", { kind: "garbage", layer: "message", record: true }),
  behaving("200 with half a message", { kind: "half-answer", layer: "message", record: true }),
];

const ROWS = [
  ...crossed(COMMON, undefined, ["before-return"]),
  ...crossed(OVER_GRPC, ["grpc"], ["before-return"]),
  ...crossed(OVER_HTTP, ["http/protobuf"], ["before-return"]),
  ...crossed(COMMON.slice(0, 5), undefined, ["after-return"]),
];

describe.concurrent("a collector that fails costs no span and no answer", () => {
  test.for(ROWS)("$fault: $protocol, $mode", async (fault, context) => {
    const { begin, end, isPermanent = false } = fault;
    const row = startRow(context, fault);
    const traced = await FaultFunction.start(context, row, { flushTimeoutMs: SHORT_FLUSH_MS });
    await (await traced.invoke()).settled;
    await traced.whileMissing(SLACK_MS);
    traced.forgetWaits();

    await begin(traced.receiver);
    for (let i = 0; i < INVOCATIONS; i++) expectAnswer(await traced.invoke({ spans: SPANS }));
    await end?.(traced.receiver);
    // Each invocation's own span and those of its work.
    const lost = isPermanent ? INVOCATIONS * (SPANS + 1) : 0;
    const account = traced.fill(await traced.untilArrived(RECOVERY_MS, lost));
    expect(account).toMatchObject({ unexpected: [], doubled: [], misplaced: [] });
    expect(row.dropped).toBe(lost);
    expect(account.missing).toHaveLength(lost);
    expect(account.repeated.length).toBeLessThanOrEqual(row.resent ?? 0);
    expect(row.longestWaitMs).toBeLessThan(SHORT_FLUSH_MS + SLACK_MS);
  });
});
