/** Reads `ExportTraceServiceResponse`: what a receiver that said "success" still refused. */
import { readFields } from "./protobuf-reader.ts";

export interface PartialSuccess {
  /** Spans refused for good; zero when the receiver only has something to say. */
  readonly rejectedSpans: number;
  readonly message: string;
}

/** Undefined when everything was taken; malformed bytes count as nothing refused. */
export function readPartialSuccess(response: Uint8Array): PartialSuccess | undefined {
  let found: Uint8Array | undefined;
  readFields(response, (field, value) => {
    if (field === 1 && typeof value !== "number") found = value;
  });
  if (found === undefined) return undefined;
  let rejectedSpans = 0;
  let message = "";
  readFields(found, (field, value) => {
    if (field === 1) rejectedSpans = toCount(value);
    if (field === 2 && typeof value !== "number") message = Buffer.from(value).toString("utf8");
  });
  return toPartialSuccess(rejectedSpans, message);
}

/** The same message in OTLP's JSON form, where int64 values are strings; anything is safe to read. */
export function readPartialSuccessJson(response: unknown): PartialSuccess | undefined {
  const partial = property(response, "partialSuccess");
  const message = property(partial, "errorMessage");
  return toPartialSuccess(
    toCount(Number(property(partial, "rejectedSpans") ?? 0)),
    typeof message === "string" ? message : "",
  );
}

function toPartialSuccess(rejectedSpans: number, message: string): PartialSuccess | undefined {
  return rejectedSpans === 0 && message === "" ? undefined : { rejectedSpans, message };
}

function toCount(value: number | Uint8Array): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
