/** What a runtime posts for an invocation: buffered or streamed, response or error. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { finished } from "node:stream/promises";
import { headerText, isRecord, nowMs, parseJson } from "./json-http.ts";

const ERROR_TYPE = "lambda-runtime-function-error-type";
const ERROR_BODY = "lambda-runtime-function-error-body";
const XRAY_CAUSE = "lambda-runtime-function-xray-error-cause";
const RESPONSE_MODE = "lambda-runtime-function-response-mode";

/** The content type under which a stream begins with HTTP metadata. */
const PRELUDE_CONTENT_TYPE = "application/vnd.awslambda.http-integration-response";

/** What stands between the metadata and the body of such a stream. */
const PRELUDE_DELIMITER = Buffer.alloc(8);

export interface Chunk {
  readonly bytes: Buffer;
  /** Unix time of arrival in ms. */
  readonly timeMs: number;
}

export interface FunctionError {
  readonly type: string;
  readonly message: string;
  readonly trace: readonly string[];
  /** The `Lambda-Runtime-Function-XRay-Error-Cause` header as sent. */
  readonly xrayCause: string | undefined;
}

export interface Answer {
  /** Every byte the runtime posted. */
  readonly rawBody: Buffer;
  /** The bytes a caller gets: `rawBody` without metadata prelude and delimiter. */
  readonly body: Buffer;
  readonly contentType: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly streamed: boolean;
  readonly chunks: readonly Chunk[];
  /** HTTP status, headers and cookies of an HTTP integration stream. */
  readonly prelude: Readonly<Record<string, unknown>> | undefined;
  /** Set when the runtime posted an error, or a stream ended with error trailers. */
  readonly error: FunctionError | undefined;
  /** False when the connection broke before the body was complete. */
  readonly complete: boolean;
}

/**
 * Reads what a runtime posts to `/response` (or, with `isError`, to `/error`).
 * Never rejects: a broken connection gives an incomplete answer.
 */
export async function readAnswer(request: IncomingMessage, isError: boolean): Promise<Answer> {
  const chunks: Chunk[] = [];
  request.on("data", (bytes: Buffer) => chunks.push({ bytes, timeMs: nowMs() }));
  const complete = await finished(request).then(
    () => true,
    () => false,
  );
  const rawBody = Buffer.concat(chunks.map((chunk) => chunk.bytes));
  const contentType = request.headers["content-type"];
  const { prelude, body } = splitPrelude(rawBody, contentType);
  return {
    rawBody,
    body,
    contentType,
    headers: request.headers,
    trailers: request.trailers,
    streamed: request.headers[RESPONSE_MODE] === "streaming",
    chunks,
    prelude,
    error: isError ? postedError(request, rawBody) : streamedError(request),
    complete,
  };
}

/** The answer Lambda makes up when the runtime gave none. */
export function platformError(type: string, message: string): Answer {
  const rawBody = Buffer.from(JSON.stringify({ errorType: type, errorMessage: message }));
  return {
    rawBody,
    body: rawBody,
    contentType: "application/json",
    headers: {},
    trailers: {},
    streamed: false,
    chunks: [],
    prelude: undefined,
    error: { type, message, trace: [], xrayCause: undefined },
    complete: true,
  };
}

function splitPrelude(
  rawBody: Buffer,
  contentType: string | undefined,
): Pick<Answer, "prelude" | "body"> {
  const end = contentType === PRELUDE_CONTENT_TYPE ? rawBody.indexOf(PRELUDE_DELIMITER) : -1;
  const prelude = end < 0 ? undefined : parseJson(rawBody.subarray(0, end));
  if (!isRecord(prelude)) return { prelude: undefined, body: rawBody };
  return { prelude, body: rawBody.subarray(end + PRELUDE_DELIMITER.length) };
}

function postedError(request: IncomingMessage, body: Buffer): FunctionError {
  return describeError(headerText(request, ERROR_TYPE), body, headerText(request, XRAY_CAUSE));
}

function streamedError(request: IncomingMessage): FunctionError | undefined {
  const type = request.trailers[ERROR_TYPE];
  if (type === undefined) return undefined;
  const body = Buffer.from(request.trailers[ERROR_BODY] ?? "", "base64");
  return describeError(type, body, undefined);
}

function describeError(
  type: string | undefined,
  body: Buffer,
  xrayCause: string | undefined,
): FunctionError {
  const parsed = parseJson(body);
  const { errorType, errorMessage, trace } = isRecord(parsed) ? parsed : {};
  return {
    type: type ?? (typeof errorType === "string" ? errorType : "Runtime.Unknown"),
    message: typeof errorMessage === "string" ? errorMessage : "",
    trace: Array.isArray(trace) ? trace.filter((line) => typeof line === "string") : [],
    xrayCause,
  };
}
