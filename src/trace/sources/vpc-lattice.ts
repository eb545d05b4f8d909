import { describeRequest } from "../http.ts";
import { describeOptionalResult } from "../http-result.ts";
import { encodeQuery, redactQuery } from "../query.ts";
import { asObject, isObject } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/** VPC Lattice services, event structure 2.0 and 1.0. They know no routes. */
export const vpcLattice: Source = {
  name: "vpc-lattice",
  match: (event) =>
    typeof asObject(event.requestContext).serviceNetworkArn === "string" || isVersion1(event),
  describe: describeEvent,
};

function isVersion1(event: EventObject): boolean {
  return (
    typeof event.raw_path === "string" &&
    typeof event.method === "string" &&
    isObject(event.headers)
  );
}

function describeEvent(event: EventObject): EventDescription {
  const [path, query] = splitPath(event.path ?? event.raw_path);
  return {
    ...describeRequest({
      method: event.method,
      path,
      query:
        redactQuery(query) ??
        encodeQuery(event.queryStringParameters ?? event.query_string_parameters),
      headers: event.headers,
      defaultScheme: "https",
    }),
    describeResult: describeOptionalResult,
  };
}

/** Structure 1.0 has the query in its path too, as the client sent it. */
function splitPath(path: unknown): readonly [path: unknown, query?: string] {
  const start = typeof path === "string" ? path.indexOf("?") : -1;
  if (typeof path !== "string" || start === -1) return [path];
  return [path.slice(0, start), path.slice(start + 1)];
}
