/** What the Lambda context says about an invocation (semantic conventions, AWS Lambda). */
import type { Attributes } from "@opentelemetry/api";
import type { LambdaContext } from "../lambda/types.ts";
import { put } from "./attributes.ts";
import {
  AWS_LAMBDA_INVOKED_ARN,
  CLOUD_ACCOUNT_ID,
  CLOUD_RESOURCE_ID,
  COLDSPAN_TENANT_ID,
  FAAS_COLDSTART,
  FAAS_INVOCATION_ID,
  FAAS_TRIGGER,
} from "./semconv.ts";
import { text } from "./shape.ts";
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
  put(attributes, FAAS_INVOCATION_ID, text(lambda.awsRequestId));
  put(attributes, COLDSPAN_TENANT_ID, text(lambda.tenantId));
  const arn = text(lambda.invokedFunctionArn);
  if (arn === undefined) return attributes;
  const fields = arn.split(":");
  attributes[AWS_LAMBDA_INVOKED_ARN] = arn;
  put(attributes, CLOUD_ACCOUNT_ID, text(fields[ACCOUNT_FIELD]));
  attributes[CLOUD_RESOURCE_ID] = resourceId(fields, text(lambda.functionVersion)) ?? arn;
  return attributes;
}

/** The ARN with an alias replaced by the version it resolved to: an alias names no one thing. */
function resourceId(fields: readonly string[], version: string | undefined): string | undefined {
  if (fields[QUALIFIER_FIELD] === undefined || version === undefined) return undefined;
  return [...fields.slice(0, QUALIFIER_FIELD), version].join(":");
}
