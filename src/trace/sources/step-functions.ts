import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { carrierFromPayload } from "../carriers.ts";
import { AWS_STEP_FUNCTIONS_STATE_MACHINE_ARN, COLDSPAN_EVENT_SOURCE_ARN } from "../semconv.ts";
import { asObject, isObject, text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/** A Step Functions task that passes its context object (`$$`); other tasks look like any invocation. */
export const stepFunctions: Source = {
  name: "step-functions",
  match: (event) =>
    isObject(event.Execution) && isObject(event.State) && isObject(event.StateMachine),
  describe: describeEvent,
};

/** The context object knows no trace; the execution's input may carry what its starter put there. */
function describeEvent(event: EventObject): EventDescription {
  const execution = asObject(event.Execution);
  const attributes: Attributes = {};
  const stateMachine = text(asObject(event.StateMachine).Id);
  put(attributes, AWS_STEP_FUNCTIONS_STATE_MACHINE_ARN, stateMachine);
  put(attributes, COLDSPAN_EVENT_SOURCE_ARN, text(execution.Id));
  const carrier = carrierFromPayload(execution.Input);
  return { trigger: "other", attributes, ...(carrier && { carrier }) };
}
