/** What a handler's answer to a request says: the status the client will see. */
import { HTTP_RESPONSE_STATUS_CODE } from "./semconv.ts";
import { isObject, number } from "./shape.ts";
import type { ResultDescription } from "./source.ts";

const MIN_STATUS = 100;
const MAX_STATUS = 599;
const FIRST_SERVER_ERROR = 500;

/** API Gateway's and ALB's own answer to a result without a valid status. */
const BAD_GATEWAY = 502;

/** REST APIs (v1) and ALB: a result without a valid `statusCode` is malformed, and answered with 502. */
export function describeProxyResult(result: unknown): ResultDescription {
  return describeStatus(statusOf(readField(result, "statusCode")) ?? BAD_GATEWAY);
}

/** HTTP APIs (v2) and function URLs: a result that has no `statusCode` is the body of a 200. */
export function describePayloadResult(result: unknown): ResultDescription {
  const statusCode = readField(result, "statusCode");
  return describeStatus(statusCode === undefined ? 200 : statusOf(statusCode));
}

/** WebSocket routes and VPC Lattice: a status counts when there is one. */
export function describeOptionalResult(result: unknown): ResultDescription {
  return describeStatus(statusOf(readField(result, "statusCode")));
}

/** CloudFront: a generated response has its status in `status`, as text; a request has none. */
export function describeEdgeResult(result: unknown): ResultDescription {
  return describeStatus(statusOf(readField(result, "status")));
}

/** 5xx are errors of the server, named by their code; 4xx are the client's (HTTP spans, §status). */
function describeStatus(status: number | undefined): ResultDescription {
  if (status === undefined) return { attributes: {} };
  const attributes = { [HTTP_RESPONSE_STATUS_CODE]: status };
  return status < FIRST_SERVER_ERROR ? { attributes } : { attributes, errorType: String(status) };
}

function statusOf(value: unknown): number | undefined {
  const status = number(value);
  if (status === undefined || !Number.isInteger(status)) return undefined;
  return status >= MIN_STATUS && status <= MAX_STATUS ? status : undefined;
}

/** A result is the handler's own object, getters and all: one that throws has no such field. */
function readField(result: unknown, name: string): unknown {
  try {
    return isObject(result) ? result[name] : undefined;
  } catch {
    return undefined;
  }
}
