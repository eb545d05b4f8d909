import { headersOf } from "../fields.ts";
import { describeRequest } from "../http.ts";
import { describeProxyResult } from "../http-result.ts";
import { rawQuery } from "../query.ts";
import { asObject, isObject } from "../shape.ts";
import type { Source } from "../source.ts";

/** Application Load Balancer, with single or multi-value headers. It knows no routes. */
export const alb: Source = {
  name: "alb",
  match: (event) => isObject(asObject(event.requestContext).elb),
  describe: (event) => ({
    ...describeRequest({
      method: event.httpMethod,
      path: event.path,
      query: rawQuery(event.multiValueQueryStringParameters ?? event.queryStringParameters),
      headers: headersOf(event),
      defaultScheme: "http",
    }),
    describeResult: describeProxyResult,
  }),
};
