/** What the receiver remembers about each request, and the questions a test asks about them. */
import type { ReceivedSpan } from "./received-span.ts";

export type ReceiverTransport = "grpc" | "http/protobuf" | "http/json" | "xray/udp";

export interface ReceivedRequest {
  /** Order of arrival, from 0 since start or the last `clear()`. */
  readonly index: number;
  readonly transport: ReceiverTransport;
  /** Unix time in ms at which the last byte of the body had arrived. */
  readonly arrivedAtMs: number;
  /** Order in which its TCP connection was opened, from 0, per port. */
  readonly connection: number;
  /** Request headers (gRPC: metadata and pseudo headers; X-Ray: what stands before the spans), lower-case keys. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body bytes as they came: compressed, gRPC prefix or X-Ray header included. */
  readonly wireBytes: number;
  /** The body after decompression, without gRPC prefix: protobuf or JSON. Empty when unreadable. */
  readonly message: Uint8Array;
  readonly compressed: boolean;
  readonly spanCount: number;
  /** The behaviour that served it, `too-large`, or `malformed`; the latter two never record spans. */
  readonly outcome: string;
  /** Why the receiver itself refused the request. */
  readonly refusal: string | undefined;
  /** True when its spans were taken as accepted and are part of `spans()`. */
  readonly recorded: boolean;
  /** True when a complete answer, good or bad, was on its way to the client before anything cut the connection; never over UDP. */
  readonly answered: boolean;
  /** Unix time in ms of that. */
  readonly answeredAtMs: number | undefined;
}

/** A span that came more than once in recorded requests. */
export interface DuplicateSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
  readonly requestIndexes: readonly number[];
  /** True when it came again although an earlier request with it had been answered: a defect of the sender. */
  readonly afterAnswer: boolean;
}

/** The spans that occur more than once, judged by what was answered at the time. */
export function findDuplicates(
  spans: readonly ReceivedSpan[],
  requests: readonly ReceivedRequest[],
): DuplicateSpan[] {
  const bySpan = new Map<string, ReceivedSpan[]>();
  for (const span of spans) {
    const key = `${span.traceId}:${span.spanId}`;
    const same = bySpan.get(key);
    if (same === undefined) bySpan.set(key, [span]);
    else same.push(span);
  }
  return [...bySpan.values()].flatMap(([first, ...others]) => {
    if (first === undefined || others.length === 0) return [];
    const requestIndexes = [first, ...others].map(({ requestIndex }) => requestIndex);
    const { traceId, spanId, name } = first;
    const afterAnswer = wasSentAfterAnswer(requestIndexes.map((index) => requests[index]));
    return [{ traceId, spanId, name, requestIndexes, afterAnswer }];
  });
}

function wasSentAfterAnswer(carriers: readonly (ReceivedRequest | undefined)[]): boolean {
  const firstAnswerMs = Math.min(...carriers.map((request) => request?.answeredAtMs ?? Infinity));
  return carriers.some((request) => request !== undefined && request.arrivedAtMs > firstAnswerMs);
}
