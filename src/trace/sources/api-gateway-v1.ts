import { headersOf } from "../fields.ts";
import { describeRequest } from "../http.ts";
import { describeProxyResult } from "../http-result.ts";
import { encodeQuery } from "../query.ts";
import { asObject, text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/** REST APIs of API Gateway, HTTP APIs with payload format 1.0, and request authorizers of both. */
export const apiGatewayV1: Source = {
  name: "api-gateway-v1",
  match: (event) =>
    Boolean(asObject(event.requestContext).stage && event.httpMethod && event.resource),
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const context = asObject(event.requestContext);
  const description = describeRequest({
    method: event.httpMethod,
    route: routeOf(event.resource),
    // The context's path is the one the client asked for: it has the stage, or the domain's base path.
    path: context.path ?? event.path,
    query: encodeQuery(event.multiValueQueryStringParameters ?? event.queryStringParameters),
    headers: headersOf(event),
    protocol: context.protocol,
    peerAddress: asObject(context.identity).sourceIp,
    domainName: context.domainName,
    defaultScheme: "https",
  });
  // An authorizer answers with a policy, not with a response.
  if (typeof event.methodArn === "string") return description;
  return { ...description, describeResult: describeProxyResult };
}

/** An HTTP API writes `$default` where no route matched. */
function routeOf(resource: unknown): string | undefined {
  return resource === "$default" ? undefined : text(resource);
}
