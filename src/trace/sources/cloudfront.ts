import { put } from "../attributes.ts";
import { describeRequest } from "../http.ts";
import { describeEdgeResult } from "../http-result.ts";
import { redactQuery } from "../query.ts";
import { COLDSPAN_EVENT_TYPE } from "../semconv.ts";
import { asObject, firstRecord, isObject, text } from "../shape.ts";
import type { EventDescription, EventObject, Source } from "../source.ts";

/** CloudFront's viewer and origin events (Lambda@Edge). */
export const cloudfront: Source = {
  name: "cloudfront",
  match: (event) => isObject(firstRecord(event).cf),
  describe: describeEvent,
};

function describeEvent(event: EventObject): EventDescription {
  const { config, request } = asObject(firstRecord(event).cf);
  const { method, uri, querystring, headers, clientIp } = asObject(request);
  const { distributionDomainName, eventType } = asObject(config);
  const description = describeRequest({
    method,
    path: uri,
    query: redactQuery(querystring),
    headers,
    peerAddress: clientIp,
    domainName: distributionDomainName,
    defaultScheme: "https",
  });
  put(description.attributes, COLDSPAN_EVENT_TYPE, text(eventType));
  return { ...description, describeResult: describeEdgeResult };
}
