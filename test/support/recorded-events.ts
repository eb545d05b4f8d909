/** A folder of recorded AWS payloads, named by `COLDSPAN_EVENTS`, and what each of them is. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = process.env.COLDSPAN_EVENTS ?? "";

/** File names of the folder; none when no folder is named. */
export const RECORDED: readonly string[] =
  FOLDER === "" ? [] : readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

export function readRecorded(file: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
}

/** Start of a file's name → source; the longest one that fits decides. */
const EXPECTED: Readonly<Record<string, string>> = {
  alb: "alb",
  "apigw-http": "api-gateway-v2",
  "apigw-rest": "api-gateway-v1",
  // An authorizer that gets a token and nothing of the request.
  "apigw-rest-authorizer-token": "other",
  "apigw-websocket": "websocket",
  appsync: "appsync",
  cloudwatch: "cloudwatch-logs",
  cognito: "cognito",
  dynamodb: "dynamodb",
  eventbridge: "eventbridge",
  kafka: "kafka",
  kinesis: "kinesis",
  "kinesis-firehose": "firehose",
  lambda: "function-url",
  s3: "s3",
  "s3-eventbridge": "eventbridge",
  // S3 Object Lambda transforms a download: neither a request of ours nor an event of a bucket.
  "s3-object": "other",
  "s3-sqs": "sqs",
  ses: "ses",
  sns: "sns",
  sqs: "sqs",
  "vpc-lattice": "vpc-lattice",
};

/** The source that a file's event must be recognised as. */
export function expectedSource(file: string): string | undefined {
  const starts = Object.keys(EXPECTED).filter((start) => file.startsWith(start));
  const longest = starts.sort((one, other) => other.length - one.length)[0];
  return longest === undefined ? undefined : EXPECTED[longest];
}

/** Events that a file wraps in an array or in an object's one field, and the file's own value. */
export function candidates(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [value];
  const fields = Object.values(value);
  return Array.isArray(value) || fields.length === 1 ? [value, ...fields] : [value];
}
