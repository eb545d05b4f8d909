import { expect, test } from "vitest";
import { resolveConfig } from "../../src/config.ts";
import { resourceAttributes } from "../../src/sdk/resource.ts";

const FUNCTION = {
  AWS_LAMBDA_FUNCTION_NAME: "orders",
  AWS_LAMBDA_FUNCTION_VERSION: "7",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
  AWS_REGION: "eu-central-1",
  AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/orders",
  AWS_LAMBDA_LOG_STREAM_NAME: "2026/11/21/[7]0123",
};

function attributesOf(env: Record<string, string>): ReturnType<typeof resourceAttributes> {
  const { lambda, resourceAttributes: configured } = resolveConfig(env).config;
  return resourceAttributes(lambda, configured, "24.21.0");
}

test("a function has its name, version, instance, memory in bytes, region and logs", () => {
  expect(attributesOf(FUNCTION)).toEqual({
    "cloud.provider": "aws",
    "cloud.platform": "aws_lambda",
    "cloud.region": "eu-central-1",
    "faas.name": "orders",
    "faas.version": "7",
    "faas.instance": "2026/11/21/[7]0123",
    "faas.max_memory": 134_217_728,
    "aws.log.group.names": ["/aws/lambda/orders"],
    "aws.log.stream.names": ["2026/11/21/[7]0123"],
    "service.name": "orders",
    "process.runtime.name": "nodejs",
    "process.runtime.version": "24.21.0",
    "process.runtime.description": "Node.js",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.version": expect.stringMatching(/^3\./),
    "telemetry.distro.name": "coldspan",
    "telemetry.distro.version": expect.any(String),
  });
});

test("a missing log group, stream or memory leaves no attribute", () => {
  const attributes = attributesOf({
    AWS_LAMBDA_FUNCTION_NAME: "orders",
    AWS_LAMBDA_LOG_GROUP_NAME: "",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "much",
  });
  expect(
    Object.keys(attributes).filter((key) => /^aws\.log|faas\.(instance|max)/.test(key)),
  ).toEqual([]);
  expect(Object.values(attributes)).not.toContain(undefined);
});

test("outside Lambda there is no cloud and no function", () => {
  const attributes = attributesOf({ AWS_REGION: "eu-central-1" });
  expect(attributes["service.name"]).toBe("unknown_service:node");
  expect(Object.keys(attributes).filter((key) => /^(cloud|faas|aws)\./.test(key))).toEqual([]);
});

test("what the user configured wins", () => {
  const attributes = attributesOf({
    ...FUNCTION,
    OTEL_SERVICE_NAME: "shop",
    OTEL_RESOURCE_ATTRIBUTES: "faas.version=mine,team=a",
  });
  expect(attributes).toMatchObject({ "service.name": "shop", "faas.version": "mine", team: "a" });
});
