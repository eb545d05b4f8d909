import { describeRequest } from "../http.ts";
import { describePayloadResult } from "../http-result.ts";
import { redactQuery } from "../query.ts";
import { asObject, text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/** HTTP APIs of API Gateway (payload format 2.0), request authorizers included. */
export const apiGatewayV2: Source = {
  name: "api-gateway-v2",
  match: isPayloadV2,
  describe: (event) => {
    const description = describePayloadV2(event, routeOf(event.routeKey));
    // An authorizer answers with a decision, not with a response.
    if (typeof event.routeArn === "string") return description;
    return { ...description, describeResult: describePayloadResult };
  },
};

/** True for payload format 2.0, which function URLs share. */
export function isPayloadV2(event: EventObject): boolean {
  return event.version === "2.0" && event.rawQueryString !== undefined;
}

/** The request of payload format 2.0. */
export function describePayloadV2(event: EventObject, route: string | undefined): EventDescription {
  const context = asObject(event.requestContext);
  const http = asObject(context.http);
  return describeRequest({
    method: http.method,
    route,
    path: event.rawPath ?? http.path,
    query: redactQuery(event.rawQueryString),
    headers: event.headers,
    protocol: http.protocol,
    peerAddress: http.sourceIp,
    domainName: context.domainName,
    defaultScheme: "https",
  });
}

/** `GET /orders/{id}` → `/orders/{id}`; `$default` matched no route. */
function routeOf(routeKey: unknown): string | undefined {
  const key = text(routeKey) ?? "";
  const space = key.indexOf(" ");
  return space === -1 ? undefined : key.slice(space + 1) || undefined;
}
