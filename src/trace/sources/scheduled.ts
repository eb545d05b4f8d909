import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { COLDSPAN_EVENT_SOURCE_ARN, FAAS_TIME } from "../semconv.ts";
import { text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/** Rules with a schedule, and EventBridge Scheduler's default input. Neither says its expression. */
export const scheduled: Source = {
  name: "scheduled",
  match: (event) =>
    event["detail-type"] === "Scheduled Event" &&
    (event.source === "aws.events" || event.source === "aws.scheduler"),
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const attributes: Attributes = {};
  put(attributes, FAAS_TIME, text(event.time));
  const rule = Array.isArray(event.resources) ? event.resources[0] : undefined;
  put(attributes, COLDSPAN_EVENT_SOURCE_ARN, text(rule));
  return { trigger: "timer", attributes };
}
