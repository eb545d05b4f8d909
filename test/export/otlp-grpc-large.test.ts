import { expect, it, onTestFinished } from "vitest";
import { startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { makeManySpans } from "../support/sample-spans.ts";
import { openDestination } from "./support/open-destination.ts";

const REQUESTS = 8;
/** Together far above the 10 MB that Node's HTTP/2 client grants a session by default. */
const SPAN_NAME_BYTES = 3_700_000;

it("eight requests of nearly 4 MB under way at once are each answered, none is reset", async () => {
  const receiver = await startOtlpReceiver();
  onTestFinished(() => receiver.close());
  const destination = await openDestination({ endpoint: receiver.grpcUrl });
  const requests = makeManySpans(REQUESTS, "x".repeat(SPAN_NAME_BYTES)).map((span) =>
    destination.encode([span]),
  );
  const outcomes = await Promise.all(requests.map((request) => destination.send(request, 20_000)));
  expect(outcomes.map(({ status, resends = 0 }) => ({ status, resends }))).toEqual(
    Array(REQUESTS).fill({ status: "success", resends: 0 }),
  );
  expect(receiver.requests()).toHaveLength(REQUESTS);
});
