import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { COLDSPAN_EVENT_SOURCE_ARN } from "../semconv.ts";
import { asObject, text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/** Data transformation of a Firehose stream. */
export const firehose: Source = {
  name: "firehose",
  match: (event) =>
    typeof event.deliveryStreamArn === "string" &&
    Array.isArray(event.records) &&
    typeof asObject(event.records[0]).recordId === "string",
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const attributes: Attributes = {};
  put(attributes, COLDSPAN_EVENT_SOURCE_ARN, text(event.deliveryStreamArn));
  return { trigger: "other", attributes };
}
