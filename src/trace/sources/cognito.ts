import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { COLDSPAN_EVENT_TYPE } from "../semconv.ts";
import { text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/** Triggers of a Cognito user pool, such as `PreSignUp_SignUp`. User data is not read. */
export const cognito: Source = {
  name: "cognito",
  match: (event) => typeof event.triggerSource === "string" && typeof event.userPoolId === "string",
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const attributes: Attributes = {};
  put(attributes, COLDSPAN_EVENT_TYPE, text(event.triggerSource));
  return { trigger: "other", attributes };
}
