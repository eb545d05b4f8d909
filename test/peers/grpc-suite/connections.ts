/** Connections that servers limit, age, drain and close: nothing is lost and nothing sent twice. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openDestination } from "../../export/support/open-destination.ts";
import { expectServedOnce, startBurst } from "../support/burst.ts";
import { asking } from "../support/grpc-peer.ts";
import type { Serve } from "./serve.ts";

const REQUEST = Buffer.from("spans");
const TIMEOUT_MS = 8000;
const LANES = 4;
const FREEZE_MS = 60_000;
/** Taken at the first try: with no `resends`. */
const SENT = { status: "success", data: expect.anything() };

export function testConnections(serve: Serve): void {
  describe("connections", () => {
    test("that take two requests at once serve twenty", async () => {
      const { endpoint, calls } = await serve({
        channelArgs: { "grpc.max_concurrent_streams": 2 },
      });
      const destination = await openDestination({ endpoint, headers: asking({ delayMs: 20 }) });

      const sending = Array.from({ length: 20 }, () => destination.send(REQUEST, TIMEOUT_MS));
      const outcomes = await Promise.all(sending);

      expect(outcomes.map(({ status }) => status)).toEqual(sending.map(() => "success"));
      expect(await calls()).toHaveLength(20);
    });

    test("that the server ages out are replaced while requests go on", async () => {
      const { endpoint, calls } = await serve({
        channelArgs: {
          "grpc.max_connection_age_ms": 100,
          "grpc.max_connection_age_grace_ms": 5000,
        },
      });
      const destination = await openDestination({ endpoint, headers: asking({ delayMs: 5 }) });

      const burst = startBurst(destination, LANES);
      await vi.waitUntil(async () => connectionsOf(await calls()) > 10, { timeout: TIMEOUT_MS });

      expectServedOnce(await burst.end(), await calls(), "sha256");
    });

    test("that a stopping server drains are left for its successor", async () => {
      const first = await serve();
      const { endpoint, port } = first;
      const destination = await openDestination({ endpoint, headers: asking({ delayMs: 5 }) });

      const burst = startBurst(destination, LANES);
      await burst.reach(50);
      await first.stop(5000);
      const second = await serve({ port });
      await burst.reach(50);

      expectServedOnce(
        await burst.end(),
        [...(await first.calls()), ...(await second.calls())],
        "sha256",
      );
    });

    test("that outlive freezes are proved alive without being punished for it", async () => {
      const { endpoint, calls } = await serve();
      const destination = await openDestination({ endpoint });
      vi.useFakeTimers({ toFake: ["Date"] });
      onTestFinished(() => {
        vi.useRealTimers();
      });

      for (let invocation = 0; invocation < 20; invocation++) {
        vi.setSystemTime(Date.now() + FREEZE_MS);
        destination.wake?.();
        // Every second invocation sends spans; the others give a punishing server time to do so.
        if (invocation % 2 === 1) await sleep(20);
        else expect(await destination.send(REQUEST, TIMEOUT_MS)).toEqual(SENT);
      }

      expect(await calls()).toHaveLength(10);
      expect(connectionsOf(await calls())).toBe(1);
    });

    test("that are never used between freezes are replaced before they are punished", async () => {
      const { endpoint, calls } = await serve();
      const destination = await openDestination({ endpoint });
      vi.useFakeTimers({ toFake: ["Date"] });
      onTestFinished(() => {
        vi.useRealTimers();
      });

      expect(await destination.send(REQUEST, TIMEOUT_MS)).toEqual(SENT);
      for (let invocation = 0; invocation < 10; invocation++) {
        vi.setSystemTime(Date.now() + FREEZE_MS);
        destination.wake?.();
        await sleep(20);
      }

      expect(await destination.send(REQUEST, TIMEOUT_MS)).toEqual(SENT);
      expect(await calls()).toHaveLength(2);
    });
  });
}

function connectionsOf(calls: readonly { readonly connection: string }[]): number {
  return new Set(calls.map(({ connection }) => connection)).size;
}
