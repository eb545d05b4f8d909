/** Which source an event came from: the one list, in the order in which it is asked. */
import { isObject } from "./shape.ts";
import type { EventDescription, Source } from "./source.ts";
import type { SourceName } from "./source-names.ts";
import { alb } from "./sources/alb.ts";
import { amazonMq } from "./sources/amazon-mq.ts";
import { apiGatewayV1 } from "./sources/api-gateway-v1.ts";
import { apiGatewayV2 } from "./sources/api-gateway-v2.ts";
import { appsync } from "./sources/appsync.ts";
import { cloudfront } from "./sources/cloudfront.ts";
import { cloudwatchLogs } from "./sources/cloudwatch-logs.ts";
import { cognito } from "./sources/cognito.ts";
import { dynamodb } from "./sources/dynamodb.ts";
import { eventbridge } from "./sources/eventbridge.ts";
import { firehose } from "./sources/firehose.ts";
import { functionUrl } from "./sources/function-url.ts";
import { kafka } from "./sources/kafka.ts";
import { kinesis } from "./sources/kinesis.ts";
import { other } from "./sources/other.ts";
import { s3 } from "./sources/s3.ts";
import { scheduled } from "./sources/scheduled.ts";
import { ses } from "./sources/ses.ts";
import { sns } from "./sources/sns.ts";
import { sqs } from "./sources/sqs.ts";
import { stepFunctions } from "./sources/step-functions.ts";
import { vpcLattice } from "./sources/vpc-lattice.ts";
import { websocket } from "./sources/websocket.ts";

/** First match wins: shapes overlap, so the narrower one stands first. */
export const SOURCES: readonly Source[] = [
  functionUrl,
  apiGatewayV1,
  apiGatewayV2,
  websocket,
  alb,
  vpcLattice,
  cloudwatchLogs,
  scheduled,
  cloudfront,
  dynamodb,
  kinesis,
  s3,
  sns,
  sqs,
  ses,
  kafka,
  amazonMq,
  eventbridge,
  appsync,
  cognito,
  firehose,
  stepFunctions,
  other,
];

/** An event and where it came from. */
export interface DescribedEvent {
  /** `other` for what no source knows. */
  readonly source: SourceName;
  readonly description: EventDescription;
  /** What a source threw on the event, for the caller to log; the description is `other`'s then. */
  readonly failure?: unknown;
}

/**
 * Recognises and describes an event.
 * Takes anything, `null` and primitives included, and never throws: what no source knows is `other`.
 */
export function describeEvent(event: unknown): DescribedEvent {
  if (!isObject(event)) return { source: other.name, description: other.describe({}) };
  try {
    const source = SOURCES.find((candidate) => candidate.match(event)) ?? other;
    return { source: source.name, description: source.describe(event) };
  } catch (failure) {
    return { source: other.name, description: other.describe({}), failure };
  }
}
