/** Attribute names and values of semantic conventions 1.45, made from those known up to 1.44. */
import type { Attributes } from "@opentelemetry/api";

/** Which names go out: what backends read today (`1.44`), or the renamed ones (`1.45`). */
export type Dialect = "1.44" | "1.45";

/** The renames of 1.45 that touch a name of `semconv.ts`. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["faas.invocation_id", "faas.invocation.id"],
  ["faas.time", "faas.invocation.start_time"],
  ["messaging.system", "messaging.system.name"],
  ["messaging.kafka.offset", "kafka.offset"],
  ["messaging.kafka.message.key", "kafka.message.key"],
  ["messaging.kafka.message.tombstone", "kafka.message.tombstone"],
]);

/**
 * The attributes in the asked dialect: the same object for `1.44`, a renamed copy for `1.45`.
 * Call it once, where a span's attributes are complete.
 */
export function inDialect(attributes: Attributes, dialect: Dialect): Attributes {
  if (dialect === "1.44") return attributes;
  const renamed: Attributes = {};
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    renamed[RENAMED.get(name) ?? name] =
      name === "messaging.system" && value === "aws_sqs" ? "aws.sqs" : value;
  }
  return renamed;
}
