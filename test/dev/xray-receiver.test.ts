import { createSocket } from "node:dgram";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startXrayReceiver, type XrayReceiver } from "../../src/dev/xray-receiver.ts";
import { encodeSpans } from "../support/raw-export.ts";

const HEADER = '{"format":"json","version":1}\n';
const spans = encodeSpans(2).toString("base64");

let receiver: XrayReceiver;

beforeEach(async () => {
  receiver = await startXrayReceiver();
});

afterEach(() => receiver.close());

it("reads the spans of a datagram", async () => {
  await send(`${HEADER}T1S${spans}`);
  const received = await receiver.waitForSpans(2);
  expect(received.map(({ name }) => name)).toEqual(["many 0", "many 1"]);
  expect(receiver.requests()).toMatchObject([
    {
      transport: "xray/udp",
      headers: { prefix: "T1S" },
      wireBytes: HEADER.length + 3 + spans.length,
      recorded: true,
      answered: false,
    },
  ]);
});

it.each([
  ["without its header", `T1S${spans}`, /no X-Ray header/],
  ["with another header", `{"format":"json","version":2}\nT1S${spans}`, /no X-Ray header/],
  ["with an unknown prefix", `${HEADER}T2S${spans}`, /no X-Ray header/],
  ["with text for spans", `${HEADER}T1S{"name":"x"}`, /not in base64/],
  ["with other bytes for spans", `${HEADER}T1S${btoa("\n\u00ff")}`, /not an Export/],
  ["of sampled spans sent as unsampled", `${HEADER}T1U${spans}`, /T1U does not fit/],
])("refuses a datagram %s", async (_, datagram, reason) => {
  await send(datagram);
  const [request] = await receiver.waitForRequests(1);
  expect(request).toMatchObject({
    outcome: "malformed",
    refusal: expect.stringMatching(reason),
    recorded: false,
  });
});

function send(datagram: string): Promise<void> {
  const [host, port] = receiver.address.split(":");
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.send(datagram, Number(port), host, (error) => {
      socket.close();
      if (error === null) resolve();
      else reject(error);
    });
  });
}
