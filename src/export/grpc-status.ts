/** gRPC's status codes: where they come from and which of them OTLP tries again. */

/** Names in order of their codes (grpc.io, "Status codes"). */
const NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

export type GrpcStatus = (typeof NAMES)[number];

/** OTLP, "Failures"; RESOURCE_EXHAUSTED joins them only when the server says when to come back. */
const RETRYABLE: ReadonlySet<GrpcStatus> = new Set([
  "CANCELLED",
  "DEADLINE_EXCEEDED",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNAVAILABLE",
  "DATA_LOSS",
]);

/** gRPC, "HTTP to gRPC Status Code Mapping": for answers that carry no `grpc-status`. */
const BY_HTTP_STATUS: Readonly<Record<number, GrpcStatus>> = {
  400: "INTERNAL",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "UNIMPLEMENTED",
  429: "UNAVAILABLE",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "UNAVAILABLE",
};

/** Of a `grpc-status` field; anything but a known code is UNKNOWN. */
export function parseGrpcStatus(value: string): GrpcStatus {
  return (/^\d{1,2}$/.test(value) ? NAMES[Number(value)] : undefined) ?? "UNKNOWN";
}

export function statusOfHttp(httpStatus: number): GrpcStatus {
  return BY_HTTP_STATUS[httpStatus] ?? "UNKNOWN";
}

export function isRetryableStatus(status: GrpcStatus, hasRetryInfo: boolean): boolean {
  return RETRYABLE.has(status) || (status === "RESOURCE_EXHAUSTED" && hasRetryInfo);
}

/** Undoes the percent-encoding of `grpc-message`; what is not a valid escape stays as it is. */
export function decodeGrpcMessage(value: string): string {
  if (!value.includes("%")) return value;
  return value.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}
