/** Parses where a gRPC exporter connects to (OTLP exporter specification, "Endpoint"). */
import type { OtlpConfig } from "../config.ts";

export interface GrpcEndpoint {
  /** True for TLS. */
  readonly secure: boolean;
  /** For `:authority` and log lines: `host:port`, or `localhost` for a socket file. */
  readonly authority: string;
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Set for `unix:` endpoints; takes the place of host and port. */
  readonly socketPath: string | undefined;
}

const FORMS = "http://host:port, https://host:port, host:port or unix:path";

/** A scheme decides about TLS; `insecure` counts only without one. Throws a `TypeError` on anything else. */
export function parseGrpcEndpoint(config: Pick<OtlpConfig, "endpoint" | "insecure">): GrpcEndpoint {
  const text = config.endpoint.trim();
  if (/^unix:/i.test(text)) {
    const socketPath = text.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
    if (socketPath === "") throw invalid(text);
    return { secure: false, authority: "localhost", host: "localhost", port: 80, socketPath };
  }
  const url = toUrl(text, config.insecure);
  const secure = url.protocol === "https:";
  const port = Number(url.port) || (secure ? 443 : 80);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { secure, authority: `${url.hostname}:${port}`, host, port, socketPath: undefined };
}

function toUrl(text: string, insecure: boolean): URL {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const url = URL.parse(hasScheme ? text : `${insecure ? "http" : "https"}://${text}`);
  if (url === null || url.hostname === "" || !/^https?:$/.test(url.protocol)) throw invalid(text);
  return url;
}

/** User info is cut out: it may be a password. */
function invalid(text: string): TypeError {
  return new TypeError(
    `Expected an OTLP/gRPC endpoint as ${FORMS}, got "${text.replace(/\/\/[^/]*@/, "//")}"`,
  );
}
