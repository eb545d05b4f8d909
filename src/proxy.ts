/** Whether gRPC must go through a proxy: only the stock client on grpc-js can. */
import { readList, readString, type Settings } from "./environment.ts";

/** As grpc-js reads them, first found first; it knows no upper-case form. */
const PROXY_VARIABLES = ["grpc_proxy", "https_proxy", "http_proxy"] as const;
const NO_PROXY_VARIABLES = ["no_grpc_proxy", "no_proxy", "NO_PROXY"] as const;
const UPPER_CASE = ["HTTPS_PROXY", "HTTP_PROXY"] as const;
/** A collector in the same environment (an extension) is never behind a proxy. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/;

/**
 * True when a proxy variable covers the endpoint. `HTTPS_PROXY` alone warns instead: grpc-js reads
 * the lower-case names only, and loading it for nothing would cost ~80 ms of cold start.
 */
export function needsGrpcJs(settings: Settings, endpoint: string): boolean {
  const proxy = firstSet(settings, PROXY_VARIABLES);
  const unread = firstSet(settings, UPPER_CASE);
  if (proxy === undefined && unread === undefined) return false;
  const target = endpoint.includes("://") ? endpoint : `http://${endpoint}`;
  const host = URL.parse(target)?.hostname ?? "";
  if (LOOPBACK.test(host) || isExempt(settings, host)) return false;
  if (proxy !== undefined) return true;
  settings.warn(
    `${unread} has no effect on gRPC, which reads grpc_proxy and https_proxy in lower case: ` +
      `spans go to ${host} directly. Set https_proxy for the proxy, or NO_PROXY=${host} if that is meant.`,
  );
  return false;
}

/** Entries are domain suffixes or `*`. */
function isExempt(settings: Settings, host: string): boolean {
  const name = firstSet(settings, NO_PROXY_VARIABLES);
  const entries = (name && readList(settings, name)) || [];
  return entries.some((entry) => entry === "*" || host.endsWith(entry.replace(/^\*/, "")));
}

function firstSet(settings: Settings, names: readonly string[]): string | undefined {
  return names.find((name) => readString(settings, name) !== undefined);
}
