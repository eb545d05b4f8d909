import * as registry from "@opentelemetry/semantic-conventions/incubating";
import { describe, expect, test } from "vitest";
import { inDialect } from "../../src/trace/dialect.ts";
import * as semconv from "../../src/trace/semconv.ts";

const REGISTRY_1_45 = new Set<unknown>(
  Object.entries(registry)
    .filter(([name]) => name.startsWith("ATTR_"))
    .map(([, value]) => value),
);

describe("attribute names", () => {
  test.each(Object.values(semconv))(
    "%s is in the registry of 1.45 under its name there, or is X-Ray's, or our own",
    (name) => {
      const [renamed] = Object.keys(inDialect({ [name]: "x" }, "1.45"));
      expect(/^(coldspan|aws\.xray)\./.test(name) || REGISTRY_1_45.has(renamed)).toBe(true);
    },
  );

  test("are unique", () => {
    expect(new Set(Object.values(semconv)).size).toBe(Object.values(semconv).length);
  });
});

describe("dialects", () => {
  const attributes = {
    "faas.invocation_id": "1",
    "faas.time": "2026-02-02T00:00:00Z",
    "messaging.system": "aws_sqs",
    "messaging.kafka.offset": 3,
    "messaging.kafka.message.key": "k",
    "messaging.kafka.message.tombstone": true,
    "messaging.message.id": "aws_sqs",
  };

  test("up to 1.44 are the attributes as they are", () => {
    expect(inDialect(attributes, "1.44")).toBe(attributes);
  });

  test("of 1.45 rename what 1.45 renamed, and nothing else", () => {
    expect(inDialect(attributes, "1.45")).toEqual({
      "faas.invocation.id": "1",
      "faas.invocation.start_time": "2026-02-02T00:00:00Z",
      "messaging.system.name": "aws.sqs",
      "kafka.offset": 3,
      "kafka.message.key": "k",
      "kafka.message.tombstone": true,
      "messaging.message.id": "aws_sqs",
    });
    expect(inDialect({ "messaging.system": "kafka" }, "1.45")).toEqual({
      "messaging.system.name": "kafka",
    });
  });
});
