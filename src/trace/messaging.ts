/** What the batch sources share: the attributes of a process span (messaging spans, §process). */
import type { Attributes } from "@opentelemetry/api";
import { put } from "./attributes.ts";
import {
  MESSAGING_DESTINATION_NAME,
  MESSAGING_OPERATION_NAME,
  MESSAGING_OPERATION_TYPE,
  MESSAGING_SYSTEM,
} from "./semconv.ts";

/** The attributes of a batch and of each of its records. */
export function messagingAttributes(system: string, destination: string | undefined): Attributes {
  const attributes: Attributes = {
    [MESSAGING_SYSTEM]: system,
    [MESSAGING_OPERATION_NAME]: "process",
    [MESSAGING_OPERATION_TYPE]: "process",
  };
  put(attributes, MESSAGING_DESTINATION_NAME, destination);
  return attributes;
}
