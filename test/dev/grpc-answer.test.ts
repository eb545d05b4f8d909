import { type ClientHttp2Session, constants } from "node:http2";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import {
  answeredRequest,
  call,
  encodeSpans,
  frame,
  openSession,
  post,
} from "../support/raw-export.ts";
import { exportOnce, makeManySpans } from "../support/sample-spans.ts";

const TWO_SPANS = frame(encodeSpans(2));
const ACCEPTED = { trailers: { "grpc-status": "0" }, rstCode: 0 };

let receiver: OtlpReceiver;
let session: ClientHttp2Session;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  session = openSession(receiver.grpcUrl);
});

afterEach(async () => {
  session.destroy();
  await receiver.close();
});

describe("a gRPC status", () => {
  it.each(["trailers-only", "trailers", "headers"] as const)("comes as %s", async (placement) => {
    receiver.behave({ kind: "grpc-status", code: 14, message: "busy: 100 % größe", placement });
    const { headers, trailers, rstCode } = await call(session, TWO_SPANS);
    const status = { "grpc-status": "14", "grpc-message": "busy: 100 %25 gr%C3%B6%C3%9Fe" };
    expect(placement === "trailers" ? trailers : headers).toMatchObject(status);
    expect(rstCode).toBe(0);
    expect(await answeredRequest(receiver)).toMatchObject({
      outcome: "grpc-status",
      recorded: false,
    });
    expect(receiver.spans()).toEqual([]);
  });

  it("carries RetryInfo as google.rpc.Status says", async () => {
    receiver.behave({ kind: "grpc-status", code: 8, message: "slow", retryDelayMs: 1500 });
    const { headers } = await call(session, TWO_SPANS);
    const details = Buffer.from(String(headers["grpc-status-details-bin"]), "base64");
    const type = Buffer.from("type.googleapis.com/google.rpc.RetryInfo").toString("hex");
    // Status { code 8, message "slow", details [Any { type, RetryInfo { Duration { 1 s, 5e8 ns } } }] }
    const retryInfo = "0a08" + "0801" + "1080cab5ee01";
    expect(details.toString("hex")).toBe(`08081204736c6f771a36${`0a28${type}`}120a${retryInfo}`);
  });

  it("reaches the stock exporter as an error", async () => {
    receiver.behave({ kind: "grpc-status", code: 7, message: "no: key" });
    const exporter = new GrpcExporter({ url: receiver.grpcUrl });
    await expect(exportOnce(exporter, makeManySpans(1))).rejects.toThrow("no: key");
    await exporter.shutdown();
  });
});

describe("a behaviour for the next requests", () => {
  it("is over after them", async () => {
    receiver.behave({ kind: "grpc-status", code: 14 }, 2);
    const statuses = [];
    for (let n = 0; n < 3; n++) {
      const { headers, trailers } = await call(session, TWO_SPANS);
      statuses.push(trailers["grpc-status"] ?? headers["grpc-status"]);
    }
    expect(statuses).toEqual(["14", "14", "0"]);
    expect(receiver.requests().map(({ recorded }) => recorded)).toEqual([false, false, true]);
  });

  it("gives way to the standing one, and waits for its own protocol", async () => {
    receiver.behave({ kind: "http-status", status: 503 });
    receiver.behave({ kind: "reset-stream", code: constants.NGHTTP2_REFUSED_STREAM }, 1);
    expect((await post(receiver, encodeSpans(1))).status).toBe(503);
    expect((await call(session, TWO_SPANS)).rstCode).toBe(constants.NGHTTP2_REFUSED_STREAM);
    expect((await call(session, TWO_SPANS)).headers[":status"]).toBe(503);
    receiver.behave();
    expect(await call(session, TWO_SPANS)).toMatchObject(ACCEPTED);
  });
});

describe("success with a but", () => {
  it("partial success leaves the rejected spans out", async () => {
    receiver.behave({ kind: "partial-success", rejectedSpans: 1, message: "too old" });
    const { body } = await call(session, TWO_SPANS);
    expect(body.toString("latin1")).toContain("too old");
    expect(receiver.spans().map(({ name }) => name)).toEqual(["many 0"]);
  });

  it("an answer may be larger than any client wants", async () => {
    receiver.behave({ kind: "oversized-answer", bytes: 5_000_000 });
    const { body, trailers } = await call(session, TWO_SPANS);
    expect(body.length).toBeGreaterThan(5_000_000);
    expect(trailers["grpc-status"]).toBe("0");
  });

  it("a delay holds the answer back, not the spans", async () => {
    receiver.behave({ kind: "accept", delayMs: 60_000 });
    const answer = call(session, TWO_SPANS);
    await receiver.waitForSpans(2);
    expect(receiver.requests()[0]).toMatchObject({ recorded: true, answered: false });
    session.destroy();
    await answer;
  });
});

describe("a broken message", () => {
  it.each(["garbage", "half-answer"] as const)("%s comes with status 0", async (kind) => {
    receiver.behave({ kind, layer: "message" });
    const { body, trailers } = await call(session, TWO_SPANS);
    expect(body).toHaveLength(kind === "garbage" ? 64 : 3);
    expect(trailers["grpc-status"]).toBe("0");
    expect(await answeredRequest(receiver)).toMatchObject({ recorded: false });
  });
});
