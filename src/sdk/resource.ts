/** The resource: what emits the spans (semantic conventions: resource/faas.md, cloud.md, process.md). */
import type { Attributes } from "@opentelemetry/api";
import { SDK_INFO } from "@opentelemetry/core";
import type { LambdaEnvironment } from "../config.ts";
import { VERSION } from "../version.ts";

const BYTES_PER_MB = 1_048_576;

/**
 * The attributes of a function with the user's own on top.
 *
 * Without `cloud.resource_id`, which an invocation's ARN decides, and without the process's command
 * line and owner, which cost bytes in each request and may hold secrets.
 */
export function resourceAttributes(
  lambda: LambdaEnvironment,
  configured: Attributes,
  nodeVersion: string = process.versions.node,
): Attributes {
  return {
    ...SDK_INFO,
    "telemetry.distro.name": "coldspan",
    "telemetry.distro.version": VERSION,
    "service.name": lambda.functionName ?? "unknown_service:node",
    "process.runtime.name": "nodejs",
    "process.runtime.version": nodeVersion,
    "process.runtime.description": "Node.js",
    ...(lambda.functionName !== undefined && functionAttributes(lambda)),
    ...configured,
  };
}

/** An attribute without a value stays away: log group and stream are missing on some setups. */
function functionAttributes(lambda: LambdaEnvironment): Attributes {
  const { memorySizeMb, logGroupName, logStreamName } = lambda;
  const attributes = {
    "cloud.provider": "aws",
    "cloud.platform": "aws_lambda",
    "cloud.region": lambda.region,
    "faas.name": lambda.functionName,
    "faas.version": lambda.functionVersion,
    "faas.instance": logStreamName,
    "faas.max_memory": memorySizeMb && memorySizeMb * BYTES_PER_MB,
    "aws.log.group.names": logGroupName && [logGroupName],
    "aws.log.stream.names": logStreamName && [logStreamName],
  };
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
