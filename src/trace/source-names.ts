/** What events are called: in options, in `COLDSPAN_INBOUND_CONTEXT`, in `coldspan.event.source`. */

/** `faas.trigger` (semantic conventions, FaaS spans). */
export const TRIGGER_KINDS = ["http", "pubsub", "datasource", "timer", "other"] as const;

export type TriggerKind = (typeof TRIGGER_KINDS)[number];

/** One per file under `sources/`; beside its own name a source goes by its trigger's. */
export const SOURCE_NAMES = [
  "alb",
  "amazon-mq",
  "api-gateway-v1",
  "api-gateway-v2",
  "appsync",
  "cloudfront",
  "cloudwatch-logs",
  "cognito",
  "dynamodb",
  "eventbridge",
  "firehose",
  "function-url",
  "kafka",
  "kinesis",
  "other",
  "s3",
  "scheduled",
  "ses",
  "sns",
  "sqs",
  "step-functions",
  "vpc-lattice",
  "websocket",
] as const;

export type SourceName = (typeof SOURCE_NAMES)[number];
