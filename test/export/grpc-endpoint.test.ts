import { expect, test } from "vitest";
import { parseGrpcEndpoint } from "../../src/export/grpc-endpoint.ts";

test.each([
  ["http://collector:4317", false, false, "collector:4317"],
  ["http://collector:4317", true, false, "collector:4317"],
  ["https://collector:4317", true, true, "collector:4317"],
  ["HTTPS://Collector.example:4317/", false, true, "collector.example:4317"],
  ["collector:4317", false, true, "collector:4317"],
  ["collector:4317", true, false, "collector:4317"],
  ["10.0.0.1:4317", true, false, "10.0.0.1:4317"],
  ["[::1]:4317", true, false, "[::1]:4317"],
  ["http://[::1]:4317", false, false, "[::1]:4317"],
  ["https://ingress.example", false, true, "ingress.example:443"],
  ["http://collector", false, false, "collector:80"],
  ["ingress.example", false, true, "ingress.example:443"],
  [" http://collector:4317/v1/traces ", false, false, "collector:4317"],
  ["https://user:secret@collector:4317", false, true, "collector:4317"],
])("%s with insecure=%s: TLS %s to %s", (endpoint, insecure, secure, authority) => {
  const parsed = parseGrpcEndpoint({ endpoint, insecure });

  expect(parsed).toMatchObject({ secure, authority, socketPath: undefined });
  // The dialer wants IPv6 bare, the authority in brackets.
  const host = parsed.host.includes(":") ? `[${parsed.host}]` : parsed.host;
  expect(`${host}:${parsed.port}`).toBe(authority);
});

test.each([
  ["unix:/run/otel.sock", "/run/otel.sock"],
  ["unix:///run/otel.sock", "/run/otel.sock"],
  ["unix:otel.sock", "otel.sock"],
])("%s is the socket %s without TLS", (endpoint, socketPath) => {
  expect(parseGrpcEndpoint({ endpoint, insecure: false })).toMatchObject({
    secure: false,
    socketPath,
  });
});

test.each(["", "  ", "ftp://collector:21", "http://", "unix:", "collector:port", "://x"])(
  "%j is refused with the forms that are accepted",
  (endpoint) => {
    expect(() => parseGrpcEndpoint({ endpoint, insecure: false })).toThrow(
      /^Expected an OTLP\/gRPC endpoint as http:\/\/host:port, .*, got ".*"$/,
    );
  },
);

test("a refused endpoint is quoted without its user info", () => {
  expect(() => parseGrpcEndpoint({ endpoint: "ftp://user:secret@host", insecure: false })).toThrow(
    /got "ftp:\/\/host"$/,
  );
});
