/** Reads the PEM files of an OTLP exporter into one TLS context, made once and used by every connection. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { diag } from "@opentelemetry/api";
import type { OtlpConfig } from "../config.ts";

export type TlsFiles = Pick<OtlpConfig, "caFile" | "clientKeyFile" | "clientCertificateFile">;

/**
 * Undefined without files: Node's own roots, no client certificate.
 * Throws one line that names the variable and the path when a file cannot be read or is not PEM.
 */
export function readTlsFiles(files: TlsFiles): SecureContext | undefined {
  const ca = readPem("OTEL_EXPORTER_OTLP_CERTIFICATE", files.caFile);
  const key = readPem("OTEL_EXPORTER_OTLP_CLIENT_KEY", files.clientKeyFile);
  const cert = readPem("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", files.clientCertificateFile);
  if ((key === undefined) !== (cert === undefined)) {
    diag.warn("a client key needs a client certificate and vice versa; neither is used");
  }
  const identity = key !== undefined && cert !== undefined ? { key, cert } : {};
  if (ca === undefined && identity.key === undefined) return undefined;
  try {
    // A context takes a CA file without one readable certificate as an empty list.
    if (ca !== undefined) new X509Certificate(ca);
    return createSecureContext({ ...(ca === undefined ? {} : { ca }), ...identity });
  } catch (error) {
    throw new Error(`The TLS files ${describeFiles(files)} cannot be used: ${reasonOf(error)}`);
  }
}

function readPem(variable: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    const pem = readFileSync(path);
    if (pem.includes("-----BEGIN ")) return pem;
  } catch (error) {
    throw new Error(`${variable}: cannot read ${path} (${reasonOf(error)})`);
  }
  throw new Error(`${variable}: ${path} is not a PEM file`);
}

function describeFiles(files: TlsFiles): string {
  const paths = [files.caFile, files.clientKeyFile, files.clientCertificateFile];
  return paths.filter((path) => path !== undefined).join(", ");
}

function reasonOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : "not valid PEM";
}
