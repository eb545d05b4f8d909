import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { carrierFromHeaders } from "../carriers.ts";
import { headersOf } from "../fields.ts";
import { readEnds } from "../forwarded.ts";
import { putEnds } from "../http.ts";
import { describeOptionalResult } from "../http-result.ts";
import {
  COLDSPAN_EVENT_TYPE,
  COLDSPAN_WEBSOCKET_CONNECTION_ID,
  COLDSPAN_WEBSOCKET_ROUTE,
  HTTP_REQUEST_METHOD,
  NETWORK_PROTOCOL_NAME,
  URL_SCHEME,
} from "../semconv.ts";
import { asObject, text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/**
 * WebSocket APIs of API Gateway. `CONNECT` is the HTTP handshake; `MESSAGE` and `DISCONNECT` are no
 * requests, carry no headers of their own, and are named `{event type} {route key}` like it.
 */
export const websocket: Source = {
  name: "websocket",
  match: (event) => {
    const { connectionId, eventType, messageDirection } = asObject(event.requestContext);
    if (typeof connectionId !== "string") return false;
    return typeof messageDirection === "string" || typeof eventType === "string";
  },
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const context = asObject(event.requestContext);
  const headers = headersOf(event);
  const eventType = text(context.eventType) ?? "MESSAGE";
  const routeKey = text(context.routeKey);
  const attributes: Attributes = { [URL_SCHEME]: "wss", [NETWORK_PROTOCOL_NAME]: "websocket" };
  // RFC 6455 §4.1: the handshake is a GET.
  if (eventType === "CONNECT") attributes[HTTP_REQUEST_METHOD] = "GET";
  putEnds(attributes, readEnds(headers, context.domainName), asObject(context.identity).sourceIp);
  attributes[COLDSPAN_EVENT_TYPE] = eventType;
  put(attributes, COLDSPAN_WEBSOCKET_ROUTE, routeKey);
  put(attributes, COLDSPAN_WEBSOCKET_CONNECTION_ID, text(context.connectionId));
  const carrier = carrierFromHeaders(headers);
  return {
    trigger: "http",
    spanName: routeKey === undefined ? eventType : `${eventType} ${routeKey}`,
    attributes,
    ...(carrier && { carrier }),
    ...(typeof event.methodArn !== "string" && { describeResult: describeOptionalResult }),
  };
}
