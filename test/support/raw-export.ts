/** Exports by hand, one frame at a time, to see exactly what a receiver answers. */

import type { EventEmitter } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { OtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import type { ReceivedRequest } from "../../src/dev/received-request.ts";
import { makeManySpans } from "./sample-spans.ts";

const EXPORT_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** How a call over HTTP/2 ended. */
export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The HTTP/2 error code of the stream; 0 for an orderly end. */
  readonly rstCode: number;
  /** Code and last stream id of a GOAWAY seen before the stream closed. */
  readonly goaway: readonly [code: number, lastStreamId: number] | undefined;
}

export function encodeSpans(count: number, name?: string): Buffer {
  const bytes = ProtobufTraceSerializer.serializeRequest(makeManySpans(count, name));
  if (bytes === undefined) throw new Error("the spans could not be encoded");
  return Buffer.from(bytes);
}

export function frame(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A session whose errors are what the test looks at, not what ends it. */
export function openSession(url: string): ClientHttp2Session {
  return connect(url).on("error", () => {});
}

/** Sends one unary call; resolves however it ends, never rejects. */
export function call(
  session: ClientHttp2Session,
  body: Uint8Array,
  headers: Readonly<Record<string, string | undefined>> = {},
): Promise<RawAnswer> {
  const stream = session.request({
    ":method": "POST",
    ":path": EXPORT_PATH,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const answer = { headers: {}, trailers: {}, goaway: undefined as RawAnswer["goaway"] };
  const chunks: Buffer[] = [];
  const onGoaway = (code: number, lastStreamId: number) => {
    answer.goaway = [code, lastStreamId];
  };
  session.on("goaway", onGoaway);
  stream.on("response", (received) => {
    answer.headers = received;
  });
  stream.on("trailers", (received) => {
    answer.trailers = received;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => {});
  stream.end(body);
  return new Promise((resolve) => {
    stream.on("close", () => {
      session.off("goaway", onGoaway);
      resolve({ ...answer, body: Buffer.concat(chunks), rstCode: stream.rstCode });
    });
  });
}

/** Posts one export over OTLP/HTTP, as protobuf unless the headers say otherwise. */
export function post(
  { httpUrl }: OtlpReceiver,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(httpUrl, {
    method: "POST",
    body: new Uint8Array(body),
    headers: { "content-type": "application/x-protobuf", ...headers },
  });
}

/** The last request, once the receiver knows that it was answered. */
export async function answeredRequest(
  receiver: OtlpReceiver,
): Promise<ReceivedRequest | undefined> {
  const requests = await receiver.waitForRequests((all) => all.at(-1)?.answered === true);
  return requests.at(-1);
}

/** Resolves when a connection is gone, with or without an error. */
export function closing(connection: EventEmitter): Promise<void> {
  connection.on("error", () => {});
  return new Promise((resolve) => connection.once("close", () => resolve()));
}
