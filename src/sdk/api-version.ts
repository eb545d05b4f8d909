/**
 * Lets a newer copy of the OpenTelemetry API use the globals that ours has registered.
 *
 * A copy takes no globals of an older minor version than its own, lest it call what these lack. Ours
 * lack nothing of `trace`, `context` and `propagation`, which have not grown since 1.0; without this,
 * spans that the function makes by itself would vanish without a word.
 */
import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

/** Where every copy of one major version keeps its globals, and the version of the one that came first. */
const API_GLOBALS: unique symbol = Symbol.for("opentelemetry.js.api.1") as never;

interface ApiGlobals {
  readonly version: string;
}

/** Call it when the globals are registered; `moduleUrl` is the function's module. Never throws. */
export function acceptNewerApi(moduleUrl: string): void {
  const slot = globalThis as { [API_GLOBALS]?: ApiGlobals };
  const globals = slot[API_GLOBALS];
  const installed = findInstalledVersion(moduleUrl);
  if (globals === undefined || installed === undefined) return;
  if (!isNewer(installed, globals.version)) return;
  // The version of the object itself cannot be changed.
  slot[API_GLOBALS] = { ...globals, version: installed };
}

/** Undefined where none is installed, or what is there cannot be read. */
function findInstalledVersion(moduleUrl: string): string | undefined {
  try {
    const path = findPackageJSON("@opentelemetry/api", moduleUrl);
    if (path === undefined) return undefined;
    const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version?: unknown };
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined; // Bundled functions have none.
  }
}

/** Of one major version, and with a higher minor one. */
function isNewer(version: string, than: string): boolean {
  const [major, minor] = version.split(".").map(Number);
  const [ownMajor, ownMinor] = than.split(".").map(Number);
  return major === ownMajor && (minor ?? 0) > (ownMinor ?? 0);
}
