/** Which OTLP endpoints are AWS's own, and with whose keys their requests are signed. */
import type { AwsCredentials, SigV4Config } from "./config.ts";
import { readString, type Settings } from "./environment.ts";

/** X-Ray's OTLP endpoint: HTTP only, each request signed for the region in its name. */
const XRAY_HOST = /^xray\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

/** Undefined for any other host. */
export function xrayRegion(host: string): string | undefined {
  return XRAY_HOST.exec(host)?.[1];
}

export function resolveSigning(
  settings: Settings,
  host: string | undefined,
): SigV4Config | undefined {
  const region = host === undefined ? undefined : xrayRegion(host);
  if (region === undefined) return undefined;
  return { region, service: "xray", credentials: () => readCredentials(settings) };
}

/** The function's own, which Lambda puts into its environment. */
function readCredentials(settings: Settings): AwsCredentials {
  const accessKeyId = readString(settings, "AWS_ACCESS_KEY_ID");
  const secretAccessKey = readString(settings, "AWS_SECRET_ACCESS_KEY");
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
  }
  const sessionToken = readString(settings, "AWS_SESSION_TOKEN");
  return { accessKeyId, secretAccessKey, sessionToken };
}
