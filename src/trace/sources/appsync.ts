import type { Attributes } from "@opentelemetry/api";
import { put } from "../attributes.ts";
import { carrierFromHeaders } from "../carriers.ts";
import { readEnds } from "../forwarded.ts";
import { putEnds } from "../http.ts";
import { COLDSPAN_EVENT_TYPE, GRAPHQL_OPERATION_TYPE } from "../semconv.ts";
import { asObject, isObject, text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/** Types whose fields are operations; a field of any other type is resolved within one. */
const OPERATIONS: ReadonlyMap<unknown, string> = new Map([
  ["Query", "query"],
  ["Mutation", "mutation"],
  ["Subscription", "subscription"],
]);

/**
 * AppSync: GraphQL resolvers (`{type}.{field}`, or a batch of such) and Events handlers
 * (`{operation} {namespace}`). The invocation answers a part of an HTTP request, never all of it.
 */
export const appsync: Source = {
  name: "appsync",
  match: (event) => {
    const { info, request } = requestOf(event);
    if (!isObject(info) || !isObject(request)) return false;
    return typeof info.fieldName === "string" || isObject(info.channel);
  },
  describe: describeEvent,
};

/** A batching resolver gets a list of requests, all of the same field and HTTP request. */
function requestOf(event: EventObject): EventObject {
  return Array.isArray(event) ? asObject(event[0]) : event;
}

function describeEvent(event: EventObject): EventDescription {
  const { info, request, identity } = requestOf(event);
  const { headers, domainName } = asObject(request);
  const attributes: Attributes = {};
  const { sourceIp } = asObject(identity);
  putEnds(
    attributes,
    readEnds(headers, domainName),
    Array.isArray(sourceIp) ? sourceIp[0] : sourceIp,
  );
  const spanName = nameOperation(asObject(info), attributes);
  const carrier = carrierFromHeaders(headers);
  return { trigger: "http", spanName, attributes, ...(carrier && { carrier }) };
}

function nameOperation(info: EventObject, attributes: Attributes): string {
  const field = text(info.fieldName);
  if (field !== undefined) {
    put(attributes, GRAPHQL_OPERATION_TYPE, OPERATIONS.get(info.parentTypeName));
    return `${text(info.parentTypeName) ?? "Query"}.${field}`;
  }
  const operation = text(info.operation) ?? "PUBLISH";
  attributes[COLDSPAN_EVENT_TYPE] = operation;
  const namespace = text(asObject(info.channelNamespace).name);
  return namespace === undefined ? operation : `${operation} ${namespace}`;
}
