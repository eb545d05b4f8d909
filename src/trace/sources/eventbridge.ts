import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { carrierFromPayload } from "../carriers.ts";
import { putEventBridge } from "../envelopes.ts";
import { messagingAttributes } from "../messaging.ts";
import { MESSAGING_MESSAGE_ID } from "../semconv.ts";
import { isoTimeMs, text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/**
 * Events of an EventBridge bus. `PutEvents`' `TraceHeader` is not delivered, so that context arrives
 * only where the producer put it: in `detail` or `detail.metadata`.
 */
export const eventbridge: Source = {
  name: "eventbridge",
  match: (event) =>
    typeof event["detail-type"] === "string" &&
    typeof event.source === "string" &&
    event.detail !== undefined,
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const attributes: Attributes = messagingAttributes("aws.eventbridge", undefined);
  put(attributes, MESSAGING_MESSAGE_ID, text(event.id));
  putEventBridge(attributes, event);
  const carrier = carrierFromPayload(event.detail);
  const sentAtMs = isoTimeMs(event.time);
  return {
    trigger: "pubsub",
    attributes,
    ...(carrier && { carrier }),
    ...(sentAtMs !== undefined && { sentAtMs }),
  };
}
