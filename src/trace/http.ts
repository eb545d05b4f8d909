/** What all HTTP sources share: the attributes of a server span (HTTP spans, stable) and the answer's status. */
import type { Attributes } from "@opentelemetry/api";
import { put } from "./attributes.ts";
import { carrierFromHeaders } from "./carriers.ts";
import { type Ends, readEnds } from "./forwarded.ts";
import {
  CLIENT_ADDRESS,
  HTTP_REQUEST_METHOD,
  HTTP_REQUEST_METHOD_ORIGINAL,
  HTTP_ROUTE,
  NETWORK_PEER_ADDRESS,
  NETWORK_PROTOCOL_NAME,
  NETWORK_PROTOCOL_VERSION,
  SERVER_ADDRESS,
  SERVER_PORT,
  URL_PATH,
  URL_QUERY,
  URL_SCHEME,
  USER_AGENT_ORIGINAL,
} from "./semconv.ts";
import { text } from "./shape.ts";
import type { EventDescription } from "./source.ts";

/** RFC 9110, PATCH (RFC 5789) and QUERY: the methods the convention knows; case-sensitive. */
const METHODS: ReadonlySet<string> = new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "QUERY",
  "TRACE",
]);

const SCHEMES: ReadonlySet<string> = new Set(["http", "https", "ws", "wss"]);

/** An HTTP request as one of AWS's gateways hands it over; the unknown parts are read with care. */
export interface HttpRequest {
  readonly method: unknown;
  /** Template the gateway matched, such as `/orders/{id}`; never a raw path. */
  readonly route?: string | undefined;
  readonly path: unknown;
  /** Raw, without `?`, secrets already replaced. */
  readonly query?: string | undefined;
  readonly headers: unknown;
  /** Such as `HTTP/1.1`. */
  readonly protocol?: unknown;
  /** Address of the client's connection to the gateway, where the gateway names it. */
  readonly peerAddress?: unknown;
  /** Stands in for a missing `Host`. */
  readonly domainName?: unknown;
  /** Scheme where no header tells. */
  readonly defaultScheme: "http" | "https";
}

/** The invocation span of a request: `{method} {route}`, or `{method}` where no route is known. */
export function describeRequest(request: HttpRequest): EventDescription {
  const { route, headers } = request;
  const method = text(request.method);
  const known = method !== undefined && METHODS.has(method);
  const attributes: Attributes = { [HTTP_REQUEST_METHOD]: known ? method : "_OTHER" };
  if (!known) put(attributes, HTTP_REQUEST_METHOD_ORIGINAL, method);
  put(attributes, HTTP_ROUTE, route);
  put(attributes, URL_PATH, text(request.path));
  put(attributes, URL_QUERY, request.query);
  const ends = readEnds(headers, request.domainName);
  putEnds(attributes, ends, request.peerAddress);
  attributes[URL_SCHEME] = schemeOf(ends.scheme) ?? request.defaultScheme;
  putProtocol(attributes, request.protocol);
  const name = known ? method : "HTTP";
  const carrier = carrierFromHeaders(headers);
  return {
    trigger: "http",
    spanName: route === undefined ? name : `${name} ${route}`,
    attributes,
    ...(carrier && { carrier }),
  };
}

/**
 * `client.address` is the client behind all proxies as the convention wants it, thus forgeable;
 * `network.peer.address` is what AWS itself saw.
 */
export function putEnds(attributes: Attributes, ends: Ends, peerAddress: unknown): void {
  const peer = text(peerAddress) ?? ends.lastHop;
  put(attributes, SERVER_ADDRESS, ends.serverAddress);
  put(attributes, SERVER_PORT, ends.serverPort);
  put(attributes, CLIENT_ADDRESS, ends.clientAddress ?? peer);
  put(attributes, NETWORK_PEER_ADDRESS, peer);
  put(attributes, USER_AGENT_ORIGINAL, text(ends.userAgent));
}

function schemeOf(scheme: string | undefined): string | undefined {
  const lower = scheme?.toLowerCase();
  return lower !== undefined && SCHEMES.has(lower) ? lower : undefined;
}

/** The protocol's name is said only when it is not `http`; HTTP/2.0 is version `2`. */
function putProtocol(attributes: Attributes, protocol: unknown): void {
  const [name = "", version] = text(protocol)?.split("/") ?? [];
  if (!version) return;
  if (name !== "HTTP") attributes[NETWORK_PROTOCOL_NAME] = name.toLowerCase();
  attributes[NETWORK_PROTOCOL_VERSION] =
    version.endsWith(".0") && version !== "1.0" ? version.slice(0, -2) : version;
}
