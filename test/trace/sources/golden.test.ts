/** One row per source and variant: the full description, in both dialects, is what the golden file says. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Attributes } from "@opentelemetry/api";
import { describe, expect, test } from "vitest";
import { type Dialect, inDialect } from "../../../src/trace/dialect.ts";
import { SOURCE_NAMES } from "../../../src/trace/source-names.ts";
import { SOURCES } from "../../../src/trace/sources.ts";
import { described, fixtureNames } from "../../support/events.ts";

const GOLDEN = new URL("../../fixtures/golden/", import.meta.url);

/** Set to rewrite the golden files; read the difference before it is committed. */
const UPDATES = process.env.UPDATE_GOLDEN === "1";

/** Fixture → source it must be recognised as. */
const ROWS: Readonly<Record<string, string>> = {
  "active-mq": "amazon-mq",
  alb: "alb",
  "alb-multi-value": "alb",
  "api-gateway-v1": "api-gateway-v1",
  "api-gateway-v1-authorizer": "api-gateway-v1",
  "api-gateway-v1-console": "api-gateway-v1",
  "api-gateway-v2": "api-gateway-v2",
  "api-gateway-v2-authorizer": "api-gateway-v2",
  "api-gateway-v2-default-route": "api-gateway-v2",
  "api-gateway-v2-payload-v1": "api-gateway-v1",
  "appsync-batch": "appsync",
  "appsync-events": "appsync",
  "appsync-resolver": "appsync",
  "cloudfront-viewer-request": "cloudfront",
  "cloudwatch-logs": "cloudwatch-logs",
  cognito: "cognito",
  direct: "other",
  dynamodb: "dynamodb",
  "dynamodb-one": "dynamodb",
  "dynamodb-window-end": "dynamodb",
  eventbridge: "eventbridge",
  "eventbridge-metadata": "eventbridge",
  "eventbridge-s3": "eventbridge",
  firehose: "firehose",
  "function-url": "function-url",
  "kafka-msk": "kafka",
  "kafka-self-managed": "kafka",
  kinesis: "kinesis",
  "kinesis-window": "kinesis",
  "kinesis-window-end": "kinesis",
  "pipes-kinesis": "kinesis",
  "pipes-sqs": "sqs",
  "rabbit-mq": "amazon-mq",
  "s3-created": "s3",
  "s3-removed": "s3",
  "s3-tagged": "s3",
  "scheduled-rule": "scheduled",
  "scheduler-default": "scheduled",
  ses: "ses",
  sns: "sns",
  "sns-s3": "sns",
  "sqs-envelopes": "sqs",
  "sqs-fifo": "sqs",
  "sqs-trace-context": "sqs",
  "sqs-two-queues": "sqs",
  "step-functions": "step-functions",
  "vpc-lattice-v1": "vpc-lattice",
  "vpc-lattice-v2": "vpc-lattice",
  "websocket-connect": "websocket",
  "websocket-disconnect": "websocket",
  "websocket-message": "websocket",
};

/** A plain description with every `attributes` in it translated. */
function translate(value: unknown, dialect: Dialect): unknown {
  if (Array.isArray(value)) return value.map((item) => translate(item, dialect));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      key === "attributes" ? inDialect(field as Attributes, dialect) : translate(field, dialect),
    ]),
  );
}

function inBothDialects(name: string): unknown {
  const plain = described(name);
  const dialects = { "1.44": translate(plain, "1.44"), "1.45": translate(plain, "1.45") };
  return JSON.parse(JSON.stringify(dialects));
}

describe("golden descriptions", () => {
  test.each(Object.entries(ROWS))("%s is described as %s, in both dialects", (name, source) => {
    const file = new URL(`${name}.golden.json`, GOLDEN);
    const actual = inBothDialects(name);
    if (UPDATES) writeFileSync(file, `${JSON.stringify(actual, null, 2)}\n`);
    expect(actual).toEqual(JSON.parse(readFileSync(file, "utf8")));
    expect(actual).toMatchObject({ "1.44": { source }, "1.45": { source } });
  });

  test("have a row for every fixture, and no file is left over", () => {
    expect(Object.keys(ROWS).sort()).toEqual(fixtureNames());
    const files = readdirSync(GOLDEN).filter((name) => name.endsWith(".json"));
    expect(files.map((name) => name.replace(".golden.json", "")).sort()).toEqual(fixtureNames());
  });

  test("cover every source, and every source's name", () => {
    expect([...new Set(Object.values(ROWS))].sort()).toEqual([...SOURCE_NAMES]);
    expect(SOURCES.map(({ name }) => name).sort()).toEqual([...SOURCE_NAMES]);
  });
});
