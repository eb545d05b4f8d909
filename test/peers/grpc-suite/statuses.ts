/** What a server says must be understood: status, text, details, partial success, and silence. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { captureDiagnostics } from "../../export/support/diagnostics.ts";
import { openDestination } from "../../export/support/open-destination.ts";
import { partialSuccess, statusWithRetryInfo } from "../../export/support/protobuf.ts";
import {
  asking,
  type GrpcPeer,
  type PeerAnswer,
  type StartGrpcPeer,
} from "../support/grpc-peer.ts";

const REQUEST = Buffer.from("spans");
const TIMEOUT_MS = 5000;
/** Longer than any send here may take. */
const TOO_LONG_S = 30;

const FINAL = [
  [2, "UNKNOWN"],
  [3, "INVALID_ARGUMENT"],
  [5, "NOT_FOUND"],
  [6, "ALREADY_EXISTS"],
  [7, "PERMISSION_DENIED"],
  [8, "RESOURCE_EXHAUSTED"],
  [9, "FAILED_PRECONDITION"],
  [12, "UNIMPLEMENTED"],
  [13, "INTERNAL"],
  [16, "UNAUTHENTICATED"],
] as const;

const TRANSIENT = [
  [1, "CANCELLED"],
  [4, "DEADLINE_EXCEEDED"],
  [10, "ABORTED"],
  [11, "OUT_OF_RANGE"],
  [14, "UNAVAILABLE"],
  [15, "DATA_LOSS"],
] as const;

export function testStatuses(start: StartGrpcPeer): void {
  describe("answers", () => {
    let peer: GrpcPeer;

    beforeAll(async () => {
      peer = await start({ compressAnswers: true });
    });

    afterAll(() => peer?.kill());

    async function ask(answer: PeerAnswer, timeoutMs = TIMEOUT_MS) {
      const endpoint = `http://localhost:${peer.port}`;
      const destination = await openDestination({ endpoint, headers: asking(answer) });
      const { length } = await peer.calls();
      const outcome = await destination.send(REQUEST, timeoutMs);
      return { outcome, calls: (await peer.calls()).slice(length) };
    }

    test.each(FINAL)(
      "with status %i %s are final, and their text is read",
      async (status, name) => {
        const { outcome, calls } = await ask({ status, text: "größe 100 % 🧊" });

        expect(outcome).toMatchObject({
          status: "failure",
          error: { message: `${name}: größe 100 % 🧊` },
        });
        expect(calls).toHaveLength(1);
      },
    );

    test.each(TRANSIENT)("with status %i %s make the request go out again", async (status) => {
      const { outcome, calls } = await ask({ status, times: 1 });

      expect(outcome).toMatchObject({ status: "success" });
      expect(calls).toHaveLength(2);
    });

    test.each([8, 14])("with status %i and RetryInfo say when to come again", async (status) => {
      const soon = await ask({ status, details: statusWithRetryInfo(0, 150_000_000), times: 1 });
      const late = await ask({ status, details: statusWithRetryInfo(TOO_LONG_S), text: "later" });

      expect(soon.outcome).toMatchObject({ status: "success" });
      expect(soon.calls).toHaveLength(2);
      expect(late.outcome).toMatchObject({
        status: "retryable",
        answerLost: false,
        retryInMillis: TOO_LONG_S * 1000,
        error: { message: expect.stringMatching(/: later$/) },
      });
      expect(late.calls).toHaveLength(1);
    });

    test("name the spans they reject", async () => {
      captureDiagnostics();
      const { outcome } = await ask({ body: partialSuccess(3, "too old") });

      expect(outcome).toMatchObject({ status: "success", rejectedSpans: 3 });
    });

    test("that come too late may have been given after all", async () => {
      const { outcome, calls } = await ask({ delayMs: 1500 }, 400);

      expect(outcome).toMatchObject({ status: "retryable", answerLost: true });
      expect(calls).toHaveLength(1);
      expect(calls[0]?.timeLeftMs).toBeLessThanOrEqual(400);
    });
  });
}
