/** Who called and whom: what proxies say in `Forwarded` (RFC 7239), `X-Forwarded-*` and `Host`. */
import { type Fields, headerText, pickFields, wanted } from "./fields.ts";
import { number } from "./shape.ts";

const HEADERS = wanted(
  "forwarded",
  "host",
  "user-agent",
  // VPC Lattice writes it so.
  "user_agent",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
);

/** Longest domain name (RFC 1035 §2.3.4); an address is shorter. */
const MAX_HOST_LENGTH = 255;

const MAX_PORT = 65_535;

/** The two ends of a request, as far as its headers tell. */
export interface Ends {
  readonly scheme: string | undefined;
  readonly serverAddress: string | undefined;
  readonly serverPort: number | undefined;
  /** The first client behind all proxies; whoever sends the request can forge it. */
  readonly clientAddress: string | undefined;
  /** The address the last proxy in front of the function took the request from. */
  readonly lastHop: string | undefined;
  readonly userAgent: string | undefined;
}

/** Reads the ends of a request from its headers; `domainName` stands in for a missing `Host`. */
export function readEnds(headers: unknown, domainName: unknown): Ends {
  const fields: Fields = pickFields(headers, HEADERS, headerText) ?? {};
  const forwarded = parseForwarded(fields.forwarded);
  const hops = (fields["x-forwarded-for"] ?? "").split(",");
  const host = forwarded.host ?? first(fields["x-forwarded-host"]) ?? first(fields.host);
  const server = splitHost(host ?? (typeof domainName === "string" ? domainName : undefined));
  return {
    scheme: forwarded.proto ?? first(fields["x-forwarded-proto"]),
    serverAddress: server.address,
    serverPort: server.port ?? port(first(fields["x-forwarded-port"])),
    clientAddress: clientAddress(forwarded.for) ?? clientAddress(hops[0]),
    lastHop: clientAddress(hops.at(-1)),
    userAgent: fields["user-agent"] ?? fields.user_agent,
  };
}

/** The parameters of the first, outermost element of a `Forwarded` header. */
function parseForwarded(header: string | undefined): Fields {
  const parameters: Fields = {};
  for (const pair of first(header)?.split(";") ?? []) {
    const end = pair.indexOf("=");
    const value = pair.slice(end + 1).trim();
    const unquoted = value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    const name = pair.slice(0, end).trim().toLowerCase();
    if (end > 0 && (name === "for" || name === "host" || name === "proto")) {
      parameters[name] = unquoted;
    }
  }
  return parameters;
}

function first(list: string | undefined): string | undefined {
  const end = list?.indexOf(",") ?? -1;
  return (end === -1 ? list : list?.slice(0, end))?.trim() || undefined;
}

/** RFC 7239 §6: `unknown` and `_names` hide the client. */
function clientAddress(node: string | undefined): string | undefined {
  const { address } = splitHost(node?.trim());
  return address === "unknown" || address?.startsWith("_") ? undefined : address;
}

/** Splits `name:port`, `192.0.2.1:port` and `[2001:db8::1]:port`; a bare IPv6 address stays whole. */
function splitHost(host: string | undefined): { address?: string; port?: number | undefined } {
  if (!host || host.length > MAX_HOST_LENGTH) return {};
  if (host.startsWith("[")) {
    const end = host.indexOf("]");
    return end === -1 ? {} : { address: host.slice(1, end), port: port(host.slice(end + 2)) };
  }
  const colon = host.indexOf(":");
  if (colon === -1 || colon !== host.lastIndexOf(":")) return { address: host };
  if (colon === 0) return {};
  return { address: host.slice(0, colon), port: port(host.slice(colon + 1)) };
}

function port(digits: string | undefined): number | undefined {
  const value = number(digits);
  return value !== undefined && Number.isInteger(value) && value > 0 && value <= MAX_PORT
    ? value
    : undefined;
}
