import { describe, expect, test } from "vitest";
import { readEnds } from "../../src/trace/forwarded.ts";
import { describeRequest } from "../../src/trace/http.ts";
import {
  describeEdgeResult,
  describeOptionalResult,
  describePayloadResult,
  describeProxyResult,
} from "../../src/trace/http-result.ts";
import { encodeQuery, rawQuery, redactQuery } from "../../src/trace/query.ts";
import { describeEvent } from "../../src/trace/sources.ts";
import { fixture } from "../support/events.ts";

function describeGet(request: object): ReturnType<typeof describeRequest> {
  return describeRequest({
    method: "GET",
    path: "/",
    headers: {},
    defaultScheme: "https",
    ...request,
  });
}

describe("a request's span", () => {
  test.each([
    ["GET", "/orders/{id}", "GET /orders/{id}"],
    ["GET", undefined, "GET"],
    ["QUERY", undefined, "QUERY"],
    ["get", "/orders", "HTTP /orders"],
    ["BREW", undefined, "HTTP"],
    [undefined, "/orders", "HTTP /orders"],
  ])("of %s on the route %s is named %s", (method, route, name) => {
    expect(describeGet({ method, route }).spanName).toBe(name);
  });

  test("keeps an unknown method aside", () => {
    expect(describeGet({ method: "BREW" }).attributes).toMatchObject({
      "http.request.method": "_OTHER",
      "http.request.method_original": "BREW",
    });
    expect(describeGet({ method: 7 }).attributes).not.toHaveProperty(
      "http.request.method_original",
    );
  });

  test.each([
    ["HTTP/1.1", { "network.protocol.version": "1.1" }],
    ["HTTP/1.0", { "network.protocol.version": "1.0" }],
    ["HTTP/2.0", { "network.protocol.version": "2" }],
    ["HTTP/3", { "network.protocol.version": "3" }],
    ["SPDY/3.1", { "network.protocol.name": "spdy", "network.protocol.version": "3.1" }],
    ["HTTP", {}],
    [7, {}],
  ])("over %s names the protocol only when it is not http", (protocol, expected) => {
    const { attributes } = describeGet({ protocol });
    const network = Object.entries(attributes).filter(([name]) => name.startsWith("network."));
    expect(Object.fromEntries(network)).toEqual(expected);
  });

  test.each([
    [{ "x-forwarded-proto": "HTTP" }, "http"],
    [{ "x-forwarded-proto": "https,http" }, "https"],
    [{ forwarded: "proto=http" }, "http"],
    [{ "x-forwarded-proto": "javascript" }, "https"],
    [null, "https"],
  ])("with the headers %j has the scheme %s", (headers, scheme) => {
    expect(describeGet({ headers }).attributes["url.scheme"]).toBe(scheme);
  });
});

describe("the ends of a request", () => {
  test("are taken from Forwarded before X-Forwarded-* before Host", () => {
    const forwarded =
      'For="[2001:db8::1]:4711";Host="shop.example.com:8443";Proto=https, for=10.0.0.1';
    const headers = {
      Forwarded: forwarded,
      "X-Forwarded-Host": "cdn.example.com",
      "X-Forwarded-For": "203.0.113.7:443, 198.51.100.20",
      Host: "internal.example.com",
    };
    const { Forwarded, ...xForwarded } = headers;
    const { "X-Forwarded-Host": host, ...direct } = xForwarded;
    expect(readEnds(headers, undefined)).toMatchObject({
      serverAddress: "shop.example.com",
      serverPort: 8443,
      clientAddress: "2001:db8::1",
      lastHop: "198.51.100.20",
    });
    expect(readEnds(xForwarded, undefined)).toMatchObject({
      serverAddress: host,
      clientAddress: "203.0.113.7",
    });
    expect(readEnds(direct, undefined).serverAddress).toBe("internal.example.com");
    expect(readEnds({}, "gateway.example.com").serverAddress).toBe("gateway.example.com");
  });

  test.each([
    ["for=unknown"],
    ["for=_hidden"],
    ["for="],
    ["for"],
    [";;=,"],
    [`for=${"x".repeat(300)}`],
    ['for="[2001:db8::1"'],
  ])("leave out the client that %s does not name", (forwarded) => {
    expect(readEnds({ forwarded }, undefined).clientAddress).toBeUndefined();
  });

  test.each([
    ["example.com", "443", 443],
    ["example.com:8443", "443", 8443],
    ["example.com:port", "443", 443],
    ["example.com", "65536", undefined],
    ["example.com", "4.5", undefined],
    ["2001:db8::1", undefined, undefined],
  ])("have for %s and X-Forwarded-Port %s the port %s", (host, forwardedPort, port) => {
    const headers = { host, "x-forwarded-port": forwardedPort };
    expect(readEnds(headers, undefined).serverPort).toBe(port);
  });

  test("tell what AWS saw apart from what the client claims", () => {
    const { attributes } = describeGet({
      headers: { "x-forwarded-for": "203.0.113.7, 198.51.100.20" },
      peerAddress: "192.0.2.9",
    });
    expect(attributes).toMatchObject({
      "client.address": "203.0.113.7",
      "network.peer.address": "192.0.2.9",
    });
  });
});

describe("a query", () => {
  test("loses the values of secret keys, whatever surrounds them, and keeps the keys", () => {
    expect(
      redactQuery(
        "a=1&X-Amz-Signature=s&X-Amz-Credential=c&X-Amz-Security-Token=t&AWSAccessKeyId=k&Signature=s&sig=s=s&X-Goog-Signature=g&z",
      ),
    ).toBe(
      "a=1&X-Amz-Signature=REDACTED&X-Amz-Credential=REDACTED&X-Amz-Security-Token=REDACTED&AWSAccessKeyId=REDACTED&Signature=REDACTED&sig=REDACTED&X-Goog-Signature=REDACTED&z",
    );
    expect(redactQuery("X%2DAmz%2DSignature=s&SIG=s&signature=s&%zz=1")).toBe(
      "X%2DAmz%2DSignature=REDACTED&SIG=s&signature=s&%zz=1",
    );
  });

  test("is put together again from decoded parameters", () => {
    expect(encodeQuery({ "a b": ["1&2", "ü"], sig: "s", n: null, lone: "\ud800" })).toBe(
      "a%20b=1%262&a%20b=%C3%BC&sig=REDACTED&lone=%EF%BF%BD",
    );
  });

  test("of a load balancer stays encoded as it is", () => {
    expect(rawQuery({ q: "a%20b", tag: ["1", "2"] })).toBe("q=a%20b&tag=1&tag=2");
  });

  test.each([undefined, null, "", {}, [], { a: {} }])("is absent for %j", (parameters) => {
    expect(encodeQuery(parameters)).toBeUndefined();
  });

  test("is cut at 4,096 characters, with no secret left bare", () => {
    expect(redactQuery(`sig=${"s".repeat(1_000_000)}`)).toBe("sig=REDACTED");
    expect(redactQuery(`a=${"x".repeat(1_000_000)}`)).toHaveLength(4_096);
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`key${n}`, "value"]));
    expect(encodeQuery(many)?.length).toBeLessThanOrEqual(4_096);
  });
});

describe("an answer", () => {
  const ok = (status: number): object => ({ attributes: { "http.response.status_code": status } });
  const failed = (status: number): object => ({ ...ok(status), errorType: String(status) });
  const unknown = { attributes: {} };

  test.each([
    [{ statusCode: 201 }, ok(201)],
    [{ statusCode: "404" }, ok(404)],
    [{ statusCode: 500 }, failed(500)],
    [{ body: "x" }, failed(502)],
    [{ statusCode: 99 }, failed(502)],
    [undefined, failed(502)],
    ["text", failed(502)],
  ])("%j of a REST API or load balancer is %j", (result, expected) => {
    expect(describeProxyResult(result)).toEqual(expected);
  });

  test.each([
    [{ statusCode: 503 }, failed(503)],
    [{ message: "bare" }, ok(200)],
    ["text", ok(200)],
    [undefined, ok(200)],
    [{ statusCode: "soon" }, unknown],
  ])("%j of an HTTP API or function URL is %j", (result, expected) => {
    expect(describePayloadResult(result)).toEqual(expected);
  });

  test.each([
    [{ statusCode: 200 }, ok(200)],
    [{ statusCode: 500 }, failed(500)],
    [undefined, unknown],
  ])("%j of a WebSocket route or VPC Lattice is %j", (result, expected) => {
    expect(describeOptionalResult(result)).toEqual(expected);
  });

  test.each([
    [{ status: "302", statusDescription: "Found" }, ok(302)],
    [{ method: "GET", uri: "/" }, unknown],
  ])("%j of a CloudFront function is %j", (result, expected) => {
    expect(describeEdgeResult(result)).toEqual(expected);
  });

  test("whose getter throws has no status", () => {
    const result = {
      get statusCode(): number {
        throw new Error("no");
      },
    };
    expect(describePayloadResult(result)).toEqual(ok(200));
    expect(describeOptionalResult(result)).toEqual(unknown);
  });

  test.each(["api-gateway-v1-authorizer", "api-gateway-v2-authorizer"])(
    "of the authorizer in %s is a decision, and not read as a response",
    (name) => {
      expect(describeEvent(fixture(name)).description.describeResult).toBeUndefined();
    },
  );

  test.each([
    ["api-gateway-v1", failed(502)],
    ["alb", failed(502)],
    ["api-gateway-v2", ok(200)],
    ["function-url", ok(200)],
    ["websocket-message", unknown],
    ["vpc-lattice-v2", unknown],
    ["cloudfront-viewer-request", unknown],
  ])("without a status to %s is read as %j", (name, expected) => {
    expect(describeEvent(fixture(name)).description.describeResult?.({})).toEqual(expected);
  });
});
