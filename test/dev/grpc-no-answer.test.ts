import { type ClientHttp2Session, constants } from "node:http2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Behaviour } from "../../src/dev/otlp-behaviour.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import {
  answeredRequest,
  call,
  closing,
  encodeSpans,
  frame,
  openSession,
} from "../support/raw-export.ts";

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

describe("no answer", () => {
  it.each([
    ["is never recorded", undefined, 0],
    ["is recorded when asked", true, 2],
  ] as const)("a black hole %s, and PING is answered", async (_, record, spanCount) => {
    receiver.behave({ kind: "black-hole", ...(record !== undefined && { record }) });
    const answer = call(session, TWO_SPANS);
    await receiver.waitForRequests(1);
    await new Promise((resolve) => session.ping(resolve));
    expect(receiver.spans()).toHaveLength(spanCount);
    session.destroy();
    await answer;
    expect(receiver.requests()[0]?.answered).toBe(false);
  });

  const CUTS: [string, Behaviour][] = [
    ["close-connection", { kind: "close-connection" }],
    ["reset-connection", { kind: "reset-connection" }],
    ["half an HTTP/2 frame", { kind: "half-answer", layer: "connection" }],
    ["garbage in the connection", { kind: "garbage", layer: "connection" }],
    ["GOAWAY with the request, then the end", { kind: "goaway", stage: "cut" }],
  ];
  it.each(CUTS)("%s loses the answer and the connection", async (_, behaviour) => {
    receiver.behave({ ...behaviour, record: true }, 1);
    const closed = closing(session);
    const { trailers } = await call(session, TWO_SPANS);
    expect(trailers).toEqual({});
    await closed;
    expect(receiver.requests()).toMatchObject([{ recorded: true, answered: false }]);

    session = openSession(receiver.grpcUrl);
    expect(await call(session, TWO_SPANS)).toMatchObject(ACCEPTED);
    expect(receiver.duplicates()).toMatchObject([{ afterAnswer: false }, { afterAnswer: false }]);
  });

  it("a reset stream leaves the connection", async () => {
    receiver.behave({ kind: "reset-stream", code: constants.NGHTTP2_ENHANCE_YOUR_CALM }, 1);
    const { rstCode } = await call(session, TWO_SPANS);
    expect(rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await call(session, TWO_SPANS)).toMatchObject(ACCEPTED);
    expect(receiver.requests().map(({ connection }) => connection)).toEqual([0, 0]);
  });
});

describe("GOAWAY", () => {
  it("before a request excludes it, also when it is the first", async () => {
    receiver.behave({ kind: "goaway", stage: "before" }, 1);
    const { goaway, rstCode } = await call(session, TWO_SPANS);
    expect(goaway).toEqual([0, 0]);
    expect(rstCode).not.toBe(0);
    expect(receiver.requests()).toMatchObject([{ recorded: false, answered: false }]);
  });

  it("before a later request includes the earlier ones", async () => {
    await call(session, TWO_SPANS);
    receiver.behave({ kind: "goaway", stage: "before", code: 11 }, 1);
    const { goaway } = await call(session, TWO_SPANS);
    expect(goaway).toEqual([11, 1]);
  });

  it("with an answer ends the connection in order", async () => {
    receiver.behave({ kind: "goaway", stage: "answer" }, 1);
    const closed = closing(session);
    const answer = await call(session, TWO_SPANS);
    expect(answer).toMatchObject({ ...ACCEPTED, goaway: [0, 1] });
    await closed;
    expect(await answeredRequest(receiver)).toMatchObject({ recorded: true });
  });
});
