/** What the Lambda context says about an invocation (semantic conventions, AWS Lambda). */
import type { Attributes } from "@opentelemetry/api";
import type { LambdaContext } from "../lambda/types.ts";
import {
  AWS_LAMBDA_INVOKED_ARN,
  CLOUD_ACCOUNT_ID,
  CLOUD_RESOURCE_ID,
  COLDSPAN_TENANT_ID,
  FAAS_COLDSTART,
  FAAS_INVOCATION_ID,
  FAAS_TRIGGER,
} from "./semconv.ts";
import type { TriggerKind } from "./source-names.ts";

/** `arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>]`, split at `:`. */
const ACCOUNT_FIELD = 4;
const QUALIFIER_FIELD = 7;

export function invocationAttributes(
  lambda: LambdaContext,
  trigger: TriggerKind,
  isColdStart: boolean,
): Attributes {
  const attributes: Attributes = { [FAAS_TRIGGER]: trigger, [FAAS_COLDSTART]: isColdStart };
  if (typeof lambda.awsRequestId === "string") attributes[FAAS_INVOCATION_ID] = lambda.awsRequestId;
  if (typeof lambda.tenantId === "string") attributes[COLDSPAN_TENANT_ID] = lambda.tenantId;
  const arn = lambda.invokedFunctionArn;
  if (typeof arn !== "string") return attributes;
  const fields = arn.split(":");
  attributes[AWS_LAMBDA_INVOKED_ARN] = arn;
  const account = fields[ACCOUNT_FIELD];
  if (account) attributes[CLOUD_ACCOUNT_ID] = account;
  attributes[CLOUD_RESOURCE_ID] = resourceId(fields, lambda.functionVersion) ?? arn;
  return attributes;
}

/** The ARN with an alias replaced by the version it resolved to: an alias names no one thing. */
function resourceId(fields: readonly string[], version: string | undefined): string | undefined {
  if (fields[QUALIFIER_FIELD] === undefined || typeof version !== "string") return undefined;
  return [...fields.slice(0, QUALIFIER_FIELD), version].join(":");
}
