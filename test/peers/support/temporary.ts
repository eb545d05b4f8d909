/** Files that are gone with the test that wrote them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Certificate, CertificateAuthority } from "../../support/certificates.ts";

/** An empty directory. */
export function makeDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "coldspan-peers-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A file in a directory of its own; gives its path. */
export function writeTemporary(name: string, content: string): string {
  const path = join(makeDirectory(), name);
  writeFileSync(path, content);
  return path;
}

/** The configuration's paths of a client certificate and its key. */
export function clientFiles({ key, cert }: Certificate): {
  clientKeyFile: string;
  clientCertificateFile: string;
} {
  return {
    clientKeyFile: writeTemporary("client.key", key),
    clientCertificateFile: writeTemporary("client.pem", cert),
  };
}

/** The configuration's paths of all that mutual TLS needs of a client of this authority. */
export function identityFiles(authority: CertificateAuthority): {
  caFile: string;
  clientKeyFile: string;
  clientCertificateFile: string;
} {
  const caFile = writeTemporary("ca.pem", authority.cert);
  return { caFile, ...clientFiles(authority.issue({ usage: "client" })) };
}
