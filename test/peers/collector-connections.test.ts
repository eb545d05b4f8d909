import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import type { ReceivedSpan } from "../../src/dev/received-span.ts";
import type { Destination } from "../../src/export/destination.ts";
import { openDestination } from "../export/support/open-destination.ts";
import { createAuthority } from "../support/certificates.ts";
import { expectServed, expectServedOnce, sendOne, startBurst } from "./support/burst.ts";
import { useCollector } from "./support/collector.ts";
import { encode, makeSpans } from "./support/spans.ts";
import { writeTemporary } from "./support/temporary.ts";
import { openWay, PROTOCOLS, type Way } from "./support/way.ts";

const LANES = 4;
const FREEZE_MS = 60_000;

const authority = createAuthority();
const collector = useCollector(authority);

function open(way: Way): Promise<Destination> {
  return openWay(collector(), authority, way);
}

/** What was answered before is in the file before what is sent now. */
async function everythingReceived(destination: Destination): Promise<readonly ReceivedSpan[]> {
  const last = await sendOne(destination);
  await collector().waitForSpans(1, ({ spanId }) => spanId === last.spanId);
  return collector().spans();
}

test.each([
  ["mutualGrpc", "grpc"],
  ["mutualHttp", "http/protobuf"],
] as const)(
  "a client without certificate is not let in at %s, and keeps its spans",
  async (to, protocol) => {
    const endpoint = collector().endpoints[to];
    const caFile = writeTemporary("ca.pem", authority.cert);
    const destination = await openDestination({ endpoint, protocol, caFile });

    const outcome = await destination.send(encode(destination, makeSpans(1)), 300);

    expect(outcome).toMatchObject({ status: "retryable" });
  },
);

test("connections that grpc-go ages out are replaced, nothing lost or doubled", async () => {
  const destination = await open({ to: "agingGrpc" });

  const burst = startBurst(destination, LANES);
  // Fifteen times the age at which a connection is told to go away.
  await sleep(1500);

  expectServedOnce(await burst.end(), await everythingReceived(destination), "spanId");
});

test("connections that outlive freezes are proved alive without grpc-go's punishment", async () => {
  const destination = await open({ to: "grpc" });
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const requests = [];

  for (let invocation = 0; invocation < 20; invocation++) {
    vi.setSystemTime(Date.now() + FREEZE_MS);
    destination.wake?.();
    // Every second invocation sends spans; the others give a punishing server time to do so.
    if (invocation % 2 === 1) await sleep(20);
    else requests.push(await sendOne(destination));
  }

  expectServedOnce(requests, await everythingReceived(destination), "spanId");
});

test.each(PROTOCOLS)(
  "over %s, restarts of the Collector under way lose nothing and count what they may double",
  async (_, way) => {
    const destination = await open(way);

    const burst = startBurst(destination, LANES);
    for (let n = 0; n < 3; n++) {
      await burst.reach(50);
      await collector().restart();
    }
    await burst.reach(50);

    expectServed(await burst.end(), await everythingReceived(destination), "spanId");
  },
);
