/** OTLP/HTTP, the answering half: every good and bad way to end an export. */
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { disturb, GARBAGE_BYTES, HALF_TLS_RECORD } from "./connection-fault.ts";
import { partialSuccessOf, retryAfterHeader } from "./otlp-behaviour.ts";
import { encodeTracesResponse, type PartialSuccess } from "./otlp-definitions.ts";
import type { Exchange } from "./otlp-exchange.ts";
import { encodeRpcStatus } from "./rpc-status.ts";

const HALF_STATUS_LINE: Buffer = Buffer.from("HTTP/1.1 200 OK\r\nContent-Le");
/** Promised in half an answer; 3 bytes of a partial success come. */
const PROMISED_BYTES = 20;
const HALF_BODY: Buffer = Buffer.from([10, 18, 8]);

/** Refuses an export; the body is a `google.rpc.Status` (OTLP specification, "Failures"). */
export function refuseHttp(
  response: ServerResponse,
  status: number,
  message: string,
  exchange?: Exchange,
): void {
  if (exchange !== undefined) reportAnswer(response, exchange);
  response.writeHead(status, { "content-type": "application/x-protobuf" });
  response.end(encodeRpcStatus({ code: 0, message }));
}

/** Answers an export as its behaviour says, in the encoding of the request. */
export function answerHttp(response: ServerResponse, exchange: Exchange, asJson: boolean): void {
  const { behaviour } = exchange;
  const isSecure = response.socket instanceof TLSSocket;
  if (disturb(exchange, isSecure ? HALF_TLS_RECORD : HALF_STATUS_LINE)) return;
  switch (behaviour.kind) {
    case "http-status":
      response.setHeaders(new Map(Object.entries(retryAfterHeader(behaviour.retryAfter))));
      refuseHttp(response, behaviour.status, `the collector says ${behaviour.status}`, exchange);
      break;
    case "garbage":
      sendBody(response, exchange, asJson, randomBytes(GARBAGE_BYTES));
      break;
    case "half-answer":
      response.writeHead(200, { "content-length": PROMISED_BYTES });
      response.write(HALF_BODY, () => setImmediate(() => response.destroy()));
      break;
    default:
      sendSuccess(response, exchange, asJson);
  }
}

function sendSuccess(response: ServerResponse, exchange: Exchange, asJson: boolean): void {
  const partialSuccess = partialSuccessOf(exchange.behaviour);
  const body = asJson ? encodeJson(partialSuccess) : encodeTracesResponse(partialSuccess);
  sendBody(response, exchange, asJson, body);
}

/** OTLP/JSON writes 64-bit integers as strings. */
function encodeJson(partialSuccess: PartialSuccess | undefined): string {
  if (partialSuccess === undefined) return "{}";
  const rejectedSpans = String(partialSuccess.rejectedSpans);
  return JSON.stringify({ partialSuccess: { ...partialSuccess, rejectedSpans } });
}

function sendBody(
  response: ServerResponse,
  exchange: Exchange,
  asJson: boolean,
  body: string | Uint8Array,
): void {
  reportAnswer(response, exchange);
  const contentType = asJson ? "application/json" : "application/x-protobuf";
  response.writeHead(200, { "content-type": contentType }).end(body);
}

/** An export counts as answered when its answer has got past the gate. */
function reportAnswer(response: ServerResponse, { answered }: Exchange): void {
  const { socket } = response;
  response.once("finish", () => answered(socket?.bytesWritten ?? 0));
}
