/** What a request carries must come out of any gRPC server as it went in. */
import { describe, expect, test } from "vitest";
import { openDestination } from "../../export/support/open-destination.ts";
import { sha256 } from "../support/grpc-peer.ts";
import { encode, makeSpans } from "../support/spans.ts";
import type { Serve } from "./serve.ts";

const TIMEOUT_MS = 5000;

export function testMessages(serve: Serve): void {
  describe("messages", () => {
    test.each(["none", "gzip"] as const)(
      "arrive byte for byte, compression %s",
      async (compression) => {
        const { endpoint, calls } = await serve();
        const destination = await openDestination({ endpoint, compression });
        const requests = [1, 300, 3000].map((count) => encode(destination, makeSpans(count)));

        for (const request of requests) {
          expect(await destination.send(request, TIMEOUT_MS)).toMatchObject({ status: "success" });
        }

        expect((await calls()).map((call) => call.sha256)).toEqual(requests.map(sha256));
      },
    );

    test("are taken at the largest size, several at once", async () => {
      const { endpoint, calls } = await serve();
      const destination = await openDestination({ endpoint });
      const requests = [1, 2, 3, 4].map((fill) => Buffer.alloc(destination.maxRequestBytes, fill));

      const outcomes = await Promise.all(
        requests.map((request) => destination.send(request, TIMEOUT_MS)),
      );

      expect(outcomes.map(({ status }) => status)).toEqual(requests.map(() => "success"));
      expect((await calls()).map((call) => call.sha256).sort()).toEqual(
        requests.map(sha256).sort(),
      );
    });

    test("beyond the server's limit fail for good, and the next one is served", async () => {
      const { endpoint, calls } = await serve({
        channelArgs: { "grpc.max_receive_message_length": 100_000 },
      });
      const destination = await openDestination({ endpoint });

      const refused = await destination.send(Buffer.alloc(2_000_000), TIMEOUT_MS);
      const taken = await destination.send(Buffer.alloc(90_000), TIMEOUT_MS);

      expect(refused).toMatchObject({
        status: "failure",
        error: { message: expect.stringMatching(/^RESOURCE_EXHAUSTED/) },
      });
      expect(taken).toMatchObject({ status: "success" });
      expect(await calls()).toHaveLength(1);
    });

    test("bring their metadata along, a long token included", async () => {
      const { endpoint, calls } = await serve();
      const authorization = `Bearer ${"k3y-".repeat(1500)}`;
      const headers = { Authorization: authorization, "x-tenant": "a b" };
      const destination = await openDestination({ endpoint, headers });

      const outcome = await destination.send(Buffer.from("spans"), TIMEOUT_MS);

      expect(outcome).toMatchObject({ status: "success" });
      expect((await calls())[0]?.metadata).toMatchObject({
        authorization,
        "x-tenant": "a b",
        "user-agent": expect.stringMatching(/^coldspan\/\S+ OTel-OTLP-Exporter-JavaScript\/\S+$/),
      });
    });
  });
}
