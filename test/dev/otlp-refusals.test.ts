import type { ClientHttp2Session } from "node:http2";
import { gzipSync } from "node:zlib";
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

describe("what breaks the protocol is refused", () => {
  const message = encodeSpans(1);
  it.each([
    ["a body without a frame", Buffer.from([0, 0]), {}, /body of 2 B has no frame/],
    ["a frame that is cut", frame(message).subarray(0, -1), {}, /frame says/],
    ["two frames", Buffer.concat([frame(message), frame(message)]), {}, /frame says/],
    ["an unknown flag", frame(message, 2), {}, /compressed flag is 2/],
    ["compression without its header", frame(gzipSync(message), 1), {}, /grpc-encoding is not set/],
    ["an unknown compression", frame(message, 1), { "grpc-encoding": "br" }, /"br" is unknown/],
    ["gzip that is none", frame(message, 1), { "grpc-encoding": "gzip" }, /not gzip/],
    ["bytes that are no message", frame(Buffer.from([0x0a, 0xff])), {}, /not an Export/],
    [
      "a wrong content type",
      frame(message),
      { "content-type": "application/json" },
      /content-type/,
    ],
    ["no te", frame(message), { te: undefined }, /te is "undefined"/],
    ["a wrong timeout", frame(message), { "grpc-timeout": "10" }, /grpc-timeout is "10"/],
  ])("%s", async (_, body, headers, reason) => {
    const answer = await call(session, body, headers);
    expect(answer.headers["grpc-status"]).toBe("3");
    expect(await answeredRequest(receiver)).toMatchObject({
      outcome: "malformed",
      refusal: expect.stringMatching(reason),
      recorded: false,
    });
  });

  it("more than 4 MiB, zipped or not", async () => {
    const large = frame(Buffer.alloc(4 * 2 ** 20 + 1));
    const zipped = frame(gzipSync(Buffer.alloc(4 * 2 ** 20 + 1)), 1);
    for (const [body, encoding] of [
      [large, "identity"],
      [zipped, "gzip"],
    ] as const) {
      const { headers } = await call(session, body, { "grpc-encoding": encoding });
      expect(headers["grpc-status"]).toBe("8");
      expect(headers["grpc-status-details-bin"]).toBeUndefined();
    }
    expect(receiver.requests().map(({ outcome }) => outcome)).toEqual(["too-large", "too-large"]);
  });

  it("an unknown method", async () => {
    const { headers } = await call(session, frame(message), { ":path": "/other/Export" });
    expect(headers["grpc-status"]).toBe("12");
  });

  it.each([
    ["a zero trace id", { traceId: "0".repeat(32) }, /trace id/],
    ["a short span id", { spanId: "aabb" }, /span id/],
    ["an id that is no hex", { spanId: "zz" }, /spanId is not a hex string/],
    ["an enum by name", { kind: "SPAN_KIND_SERVER" }, /enum kind/],
    ["an unknown kind", { kind: 6 }, /unknown kind 6/],
    ["no end", { endTimeUnixNano: undefined }, /end time/],
    ["a link to nothing", { links: [{}] }, /link/],
    ["an attribute twice", { attributes: [{ key: "a" }, { key: "a" }] }, /"a" is given twice/],
  ])("a JSON span with %s", async (_, change, reason) => {
    const span = {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      name: "span",
      kind: 1,
      startTimeUnixNano: "1795000000000000001",
      endTimeUnixNano: "1795000000000000002",
    };
    const send = (own: object) =>
      post(
        receiver,
        Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [own] }] }] })),
        {
          "content-type": "application/json",
        },
      );
    expect((await send(span)).status).toBe(200);
    expect(receiver.spans()[0]?.startTimeUnixNano).toBe(1_795_000_000_000_000_001n);
    expect((await send({ ...span, ...change })).status).toBe(400);
    expect(receiver.requests()[1]).toMatchObject({ refusal: expect.stringMatching(reason) });
  });
});
