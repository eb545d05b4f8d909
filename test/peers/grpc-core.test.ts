import { once } from "node:events";
import { connect, constants } from "node:http2";
import { describe, expect, onTestFinished, test } from "vitest";
import { openDestination } from "../export/support/open-destination.ts";
import { testConnections } from "./grpc-suite/connections.ts";
import { testMessages } from "./grpc-suite/messages.ts";
import { serveWith } from "./grpc-suite/serve.ts";
import { testStatuses } from "./grpc-suite/statuses.ts";
import { testTls } from "./grpc-suite/tls.ts";
import { expectServed, startBurst } from "./support/burst.ts";
import { startGrpcCoreServer } from "./support/grpc-core-server.ts";
import { asking } from "./support/grpc-peer.ts";

const serve = serveWith(startGrpcCoreServer);

testMessages(serve);
testStatuses(startGrpcCoreServer);
testTls(serve);
testConnections(serve);

describe("gRPC's C core", () => {
  test("punishes a client that pings too often", async () => {
    const { endpoint } = await serve();
    const session = connect(endpoint);
    onTestFinished(() => session.destroy());
    session.on("error", () => undefined);
    const goaway = once(session, "goaway");
    await once(session, "connect");

    for (let n = 0; n < 5; n++) session.ping(() => undefined);

    const [code] = await goaway;
    expect(code).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  test("loses no request when it is killed: its successor gets them, and they are counted", async () => {
    const first = await serve();
    const destination = await openDestination({
      endpoint: first.endpoint,
      headers: asking({ delayMs: 20 }),
    });

    const burst = startBurst(destination, 8);
    await burst.reach(50);
    await first.kill();
    const second = await serve({ port: first.port });
    await burst.reach(50);
    const requests = await burst.end();

    expectServed(requests, [...(await first.calls()), ...(await second.calls())], "sha256");
    const resent = requests.filter(({ outcome }) => outcome.resends !== undefined);
    expect(resent).not.toEqual([]);
  });
});
