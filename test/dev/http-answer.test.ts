import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Behaviour } from "../../src/dev/otlp-behaviour.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { answeredRequest, encodeSpans, post } from "../support/raw-export.ts";

let receiver: OtlpReceiver;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
});

afterEach(async () => {
  await receiver.close();
});

describe("OTLP/HTTP", () => {
  const soon = new Date(Date.UTC(2030, 0, 1));
  it.each([
    [429, 2, "2"],
    [503, soon, "Tue, 01 Jan 2030 00:00:00 GMT"],
    [502, "rubbish", "rubbish"],
    [504, undefined, null],
    [400, undefined, null],
    [413, undefined, null],
  ])("answers %i with Retry-After %s", async (status, retryAfter, header) => {
    receiver.behave({ kind: "http-status", status, ...(retryAfter && { retryAfter }) }, 1);
    const response = await post(receiver, encodeSpans(1));
    expect(response.status).toBe(status);
    expect(response.headers.get("retry-after")).toBe(header);
    expect(await answeredRequest(receiver)).toMatchObject({
      outcome: "http-status",
      recorded: false,
    });
  });

  it("says partial success in the encoding of the request", async () => {
    receiver.behave({ kind: "partial-success", rejectedSpans: 3, message: "no" });
    const json = await post(receiver, Buffer.from("{}"), { "content-type": "application/json" });
    expect(await json.json()).toEqual({
      partialSuccess: { rejectedSpans: "3", errorMessage: "no" },
    });
    const protobuf = Buffer.from(await (await post(receiver, encodeSpans(1))).arrayBuffer());
    expect(protobuf.toString("hex")).toBe("0a0608031202".concat(Buffer.from("no").toString("hex")));
  });

  const CUTS: Behaviour[] = [
    { kind: "close-connection" },
    { kind: "reset-connection" },
    { kind: "half-answer", layer: "connection" },
    { kind: "half-answer", layer: "message" },
    { kind: "garbage", layer: "connection" },
  ];
  it.each(CUTS)("loses the answer: $kind $layer", async (behaviour) => {
    receiver.behave(behaviour, 1);
    await expect(
      post(receiver, encodeSpans(1)).then((response) => response.text()),
    ).rejects.toThrow();
    expect(receiver.requests()).toMatchObject([{ recorded: false, answered: false }]);
    expect((await post(receiver, encodeSpans(1))).status).toBe(200);
  });

  it("gives a body that is no message", async () => {
    receiver.behave({ kind: "garbage", layer: "message" });
    const response = await post(receiver, encodeSpans(1));
    expect(response.status).toBe(200);
    expect((await response.arrayBuffer()).byteLength).toBe(64);
  });
});
