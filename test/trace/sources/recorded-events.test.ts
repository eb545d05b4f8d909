/** Runs over a folder of recorded AWS payloads, named by `COLDSPAN_EVENTS`: every one is recognised, or knowingly `other`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeEvent } from "../../../src/trace/sources.ts";
import { plain } from "../../support/events.ts";

const FOLDER = process.env.COLDSPAN_EVENTS ?? "";

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

function expectedOf(file: string): string | undefined {
  const starts = Object.keys(EXPECTED).filter((start) => file.startsWith(start));
  const longest = starts.sort((one, other) => other.length - one.length)[0];
  return longest === undefined ? undefined : EXPECTED[longest];
}

/** Events that a file wraps in an array or in an object's one field, and the file's own value. */
function candidates(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [value];
  const fields = Object.values(value);
  return Array.isArray(value) || fields.length === 1 ? [value, ...fields] : [value];
}

const files = FOLDER === "" ? [] : readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

describe("recorded events", () => {
  if (FOLDER === "") {
    test("are not looked at, for COLDSPAN_EVENTS names no folder", () => {
      expect(files).toEqual([]);
    });
    return;
  }

  test.each(files)("%s is recognised, in full", (file) => {
    const value: unknown = JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
    const found = candidates(value).map(describeEvent);
    for (const one of found) {
      expect(one).not.toHaveProperty("failure");
      expect(() => JSON.stringify(plain(one))).not.toThrow();
    }
    const sources = found.map(({ source }) => source);
    expect(sources.find((source) => source !== "other") ?? "other").toBe(expectedOf(file));
  });

  test("are there", () => {
    expect(files.length).toBeGreaterThan(0);
  });
});
