/** How a failure looks on a span (semantic conventions: recording errors, exceptions on spans). */
import { type Span, SpanStatusCode } from "@opentelemetry/api";
import { ERROR_TYPE, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE } from "./semconv.ts";

/** What could be read of a thrown value. */
export interface Failure {
  readonly type: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** Marks a span as failed, with the exception. */
export function recordFailure(span: Span, failure: Failure): void {
  failSpan(span, failure.type, failure.message);
  span.addEvent("exception", {
    [EXCEPTION_TYPE]: failure.type,
    [EXCEPTION_MESSAGE]: failure.message,
    ...(failure.stack === undefined ? {} : { [EXCEPTION_STACKTRACE]: failure.stack }),
  });
}

/** Marks a span as failed where nothing was thrown, such as a 5xx answer, or where it was not thrown. */
export function failSpan(span: Span, errorType: string, message?: string): void {
  span.setAttribute(ERROR_TYPE, errorType);
  span.setStatus({
    code: SpanStatusCode.ERROR,
    ...(message === undefined || message === "" ? {} : { message }),
  });
}

/** Reads whatever was thrown; that may throw again, but not out of here. */
export function readFailure(thrown: unknown): Failure {
  try {
    if (thrown instanceof Error) {
      return {
        type: String(thrown.name || thrown.constructor.name),
        message: String(thrown.message),
        stack: typeof thrown.stack === "string" ? thrown.stack : undefined,
      };
    }
    return { type: typeof thrown, message: String(thrown), stack: undefined };
  } catch {
    return { type: "_OTHER", message: "the thrown value cannot be read", stack: undefined };
  }
}
