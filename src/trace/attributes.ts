import type { Attributes, AttributeValue } from "@opentelemetry/api";

/** Sets an attribute when its value is known. */
export function put(attributes: Attributes, name: string, value: AttributeValue | undefined): void {
  if (value !== undefined) attributes[name] = value;
}
