/**
 * Throw-away certificates: a CA and what it issues, made anew in each run, so that no key is in git.
 * Node makes keys and signatures; only the X.509 envelope (RFC 5280) is written here, because the
 * smallest maintained packages that do it bring twenty others.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

interface CertificateRequest {
  readonly usage: "server" | "client";
  /** DNS names and IPv4 addresses; default `localhost` and `127.0.0.1`. */
  readonly hosts?: readonly string[];
  /** Valid until yesterday. */
  readonly expired?: boolean;
}

export interface CertificateAuthority {
  /** The CA's own certificate, PEM. */
  readonly cert: string;
  issue(request: CertificateRequest): Certificate;
}

const DAY_MS = 86_400_000;
const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  server: "1.3.6.1.5.5.7.3.1",
  client: "1.3.6.1.5.5.7.3.2",
};
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  time: 0x17,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  ipAddress: 0x87,
};
/** Tags of optional fields, numbered by position. */
const EXPLICIT_0 = 0xa0;
const EXPLICIT_3 = 0xa3;
const KEY_ID = 0x80;
/** Key usage bits, with the count of unused bits in front. */
const SIGNS_DATA = Buffer.from([7, 0b1000_0000]);
const SIGNS_CERTIFICATES = Buffer.from([1, 0b0000_0110]);

/** Makes a CA with a key of its own. */
export function createAuthority(name = "coldspan test CA"): CertificateAuthority {
  const keys = makeKeys();
  const certify = (subject: string, spki: Buffer, own: Buffer[], expired: boolean) =>
    toPem(
      signed(keys.privateKey, name, subject, spki, [...keyIds(keys.spki, spki), ...own], expired),
    );
  const ownExtensions = [
    extension(OID.basicConstraints, sequence(der(TAG.boolean, Buffer.from([0xff]))), true),
    extension(OID.keyUsage, der(TAG.bits, SIGNS_CERTIFICATES), true),
  ];
  return {
    cert: certify(name, keys.spki, ownExtensions, false),
    issue({ usage, hosts = ["localhost", "127.0.0.1"], expired = false }) {
      const { privateKey, spki } = makeKeys();
      const extensions = [
        extension(OID.keyUsage, der(TAG.bits, SIGNS_DATA), true),
        extension(OID.extendedKeyUsage, sequence(oid(OID[usage]))),
        extension(OID.subjectAltName, sequence(...hosts.map(alternativeName))),
      ];
      const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      return { key, cert: certify(hosts[0] ?? usage, spki, extensions, expired) };
    },
  };
}

function makeKeys(): { privateKey: KeyObject; spki: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, spki: publicKey.export({ type: "spki", format: "der" }) };
}

function signed(
  issuerKey: KeyObject,
  issuer: string,
  subject: string,
  spki: Buffer,
  extensions: readonly Buffer[],
  expired: boolean,
): Buffer {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const version3 = der(EXPLICIT_0, der(TAG.integer, Buffer.from([2])));
  // A first byte of 1 keeps the serial positive and its encoding minimal.
  const serial = der(TAG.integer, Buffer.concat([Buffer.from([1]), randomBytes(8)]));
  const endMs = Date.now() + (expired ? -DAY_MS : DAY_MS);
  const validity = sequence(time(endMs - 2 * DAY_MS), time(endMs));
  const certificate = sequence(
    ...[version3, serial, algorithm, distinguishedName(issuer), validity],
    ...[distinguishedName(subject), spki, der(EXPLICIT_3, sequence(...extensions))],
  );
  const signature = sign("sha256", certificate, issuerKey);
  return sequence(certificate, algorithm, der(TAG.bits, Buffer.from([0]), signature));
}

function keyIds(issuerSpki: Buffer, spki: Buffer): Buffer[] {
  return [
    extension(OID.subjectKeyIdentifier, der(TAG.octets, keyId(spki))),
    extension(OID.authorityKeyIdentifier, sequence(der(KEY_ID, keyId(issuerSpki)))),
  ];
}

function keyId(spki: Buffer): Buffer {
  return createHash("sha1").update(spki).digest();
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [der(TAG.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, der(TAG.octets, value));
}

function alternativeName(host: string): Buffer {
  if (isIPv4(host)) return der(TAG.ipAddress, Buffer.from(host.split(".").map(Number)));
  return der(TAG.dnsName, Buffer.from(host));
}

function distinguishedName(commonName: string): Buffer {
  const value = der(TAG.utf8, Buffer.from(commonName));
  return sequence(der(TAG.set, sequence(oid(OID.commonName), value)));
}

/** UTCTime: `YYMMDDhhmmssZ`. */
function time(unixMs: number): Buffer {
  const digits = new Date(unixMs).toISOString().replace(/\D/g, "");
  return der(TAG.time, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(toBase128)]));
}

function toBase128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(TAG.sequence, ...parts);
}

/** One DER value: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

function toPem(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
