/** OTLP/HTTP, the answering half. */
import type { ServerResponse } from "node:http";
import { encodeTracesResponse } from "./otlp-definitions.ts";
import type { Exchange } from "./otlp-exchange.ts";
import { encodeRpcStatus } from "./rpc-status.ts";

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

/** Answers an export as its behaviour says. */
export function answerHttp(response: ServerResponse, exchange: Exchange, asJson: boolean): void {
  reportAnswer(response, exchange);
  if (asJson) {
    response.writeHead(200, { "content-type": "application/json" });
    response.end("{}");
    return;
  }
  response.writeHead(200, { "content-type": "application/x-protobuf" });
  response.end(encodeTracesResponse());
}

/** An export counts as answered when its answer was handed to a connection still there. */
function reportAnswer(response: ServerResponse, { connection, answered }: Exchange): void {
  response.once("finish", () => {
    if (connection?.isCut !== true) answered();
  });
}
