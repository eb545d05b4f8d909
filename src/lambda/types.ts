/** The little of Lambda's shapes that coldspan reads; `@types/aws-lambda` values are assignable. */

/** The second argument of a handler. Every field may be missing: handlers are also called by tests. */
export interface LambdaContext {
  readonly functionName?: string;
  readonly functionVersion?: string;
  readonly invokedFunctionArn?: string;
  readonly awsRequestId?: string;
  /** Set by the runtime interface client since version 4. */
  readonly xRayTraceId?: string;
  readonly tenantId?: string;
  readonly clientContext?: unknown;
  getRemainingTimeInMillis?(): number;
}
