/** AWS Signature Version 4 for OTLP requests, as X-Ray's OTLP endpoint wants it. */
import { createHash, createHmac } from "node:crypto";
import type { AwsCredentials, SigV4Config } from "../config.ts";
import type { RequestHeaders } from "./headers.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";

/** Headers that proxies may change on the way, or that are made after signing. */
const UNSIGNED: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "expect",
  "keep-alive",
  "transfer-encoding",
  "user-agent",
  "x-amzn-trace-id",
]);

export type Signer = (headers: RequestHeaders, body: Uint8Array) => Promise<RequestHeaders>;

/** Signs POSTs to this URL, which has no query; asks for the credentials each time, because they expire. */
export function createSigner(url: URL, config: SigV4Config): Signer {
  return async (headers, body) =>
    signHeaders(url, headers, body, config, await config.credentials(), new Date());
}

/** The headers with `authorization` and the `x-amz-*` headers it covers (AWS, "Create a signed request"). */
export function signHeaders(
  url: URL,
  headers: RequestHeaders,
  body: Uint8Array,
  { region, service }: Pick<SigV4Config, "region" | "service">,
  credentials: AwsCredentials,
  date: Date,
): RequestHeaders {
  const time = date.toISOString().replace(/[:-]|\.\d+/g, "");
  const bodyHash = createHash("sha256").update(body).digest("hex");
  const all: Record<string, string> = {
    ...headers,
    "x-amz-date": time,
    "x-amz-content-sha256": bodyHash,
  };
  if (credentials.sessionToken) all["x-amz-security-token"] = credentials.sessionToken;
  const names = Object.keys(all)
    .filter((name) => !UNSIGNED.has(name))
    .sort();
  const lines = names.map((name) => `${name}:${all[name]?.trim().replace(/\s+/g, " ")}`);
  const signedNames = names.join(";");
  const path = url.pathname.split("/").map(encodeURIComponent).join("/");
  const canonical = ["POST", path, "", ...lines, "", signedNames, bodyHash].join("\n");
  const scope = [time.slice(0, 8), region, service, "aws4_request"];
  const hash = createHash("sha256").update(canonical).digest("hex");
  const toSign = [ALGORITHM, time, scope.join("/"), hash].join("\n");
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, toSign).toString("hex");
  const credential = `${credentials.accessKeyId}/${scope.join("/")}`;
  return {
    ...all,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedNames}, Signature=${signature}`,
  };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
