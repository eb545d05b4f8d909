/** The real Lambda runtimes and Node.js binaries on which tests, demo and benchmarks run. */
import { existsSync } from "node:fs";
import { copyFile, cp, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeBinary, RuntimeClient } from "../src/dev/function-process.ts";
import { cached, findCached, installLocked, lockedName } from "./cache.ts";

/** Set to 1, the stand-in serves even where the native addon is compiled. */
const FORCE_STAND_IN = "COLDSPAN_TEST_STANDIN";

const STAND_IN = fileURLToPath(new URL("addon-stand-in", import.meta.url));

const PINNED_NODE = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));

/** By major version: the file Node runs, and where it looks for its native addon. */
const LAYOUT = {
  3: { entry: "bin/index.mjs", addon: "dist/rapid-client.node" },
  4: { entry: "index.mjs", addon: "rapid-client.node" },
} as const;

export type RicMajor = RuntimeClient["major"];

/** How the runtime client reaches the Runtime API: its own C++ addon, or our JavaScript for it. */
export type Addon = "native" | "stand-in";

/**
 * The runtime client of this major version, installed on first use (about 5 s). Its addon is the
 * native one when `npm run runtimes` has compiled it, else the stand-in; `addon` asks for one.
 */
export async function ensureRuntime(major: RicMajor, addon?: Addon): Promise<RuntimeClient> {
  const wanted = addon ?? (await preferredAddon(major));
  const directory = wanted === "native" ? await findNative(major) : await ensureStandIn(major);
  if (directory === undefined) {
    throw new Error('The native addon is not compiled; "npm run runtimes" does that');
  }
  return { path: join(directory, LAYOUT[major].entry), major };
}

/** The addons this checkout can run now; the stand-in is always among them. */
export async function availableAddons(major: RicMajor): Promise<readonly Addon[]> {
  return (await findNative(major)) === undefined ? ["stand-in"] : ["stand-in", "native"];
}

/** A Node.js binary: 24 is the project's own, 22 comes from npm on first use (about 5 s). */
export async function ensureNode(major: NodeBinary["major"]): Promise<NodeBinary> {
  if (major === 24) return { path: PINNED_NODE, major };
  const { platform, arch } = process;
  const prefix = platform === "darwin" && arch === "arm64" ? "node-bin" : "node";
  const installed = await installLocked("node-22");
  const path = join(installed, "node_modules", `${prefix}-${platform}-${arch}`, "bin", "node");
  if (!existsSync(path)) throw new Error(`npm has no Node.js 22 for ${platform}-${arch}`);
  return { path, major };
}

/** The runtime client's package as npm installed it, with no addon. */
export async function installedClient(major: RicMajor): Promise<string> {
  return join(await installLocked(`ric-${major}`), "node_modules", "aws-lambda-ric");
}

/** Puts a runtime client together with a compiled addon, for {@link ensureRuntime} to find. */
export async function addNative(major: RicMajor, addonFile: string): Promise<void> {
  await cached(await nativeName(major), async (directory) => {
    await cp(await installedClient(major), directory, { recursive: true });
    await copyFile(addonFile, join(directory, LAYOUT[major].addon));
  });
}

/** The client itself stays as it is: a directory of the addon's name is what `require` finds. */
async function ensureStandIn(major: RicMajor): Promise<string> {
  return cached(`${await lockedName(`ric-${major}`)}-stand-in`, async (directory) => {
    await cp(await installedClient(major), directory, { recursive: true });
    const link = join(directory, LAYOUT[major].addon);
    await symlink(relative(dirname(link), STAND_IN), link);
  });
}

async function preferredAddon(major: RicMajor): Promise<Addon> {
  if (process.env[FORCE_STAND_IN] === "1") return "stand-in";
  return (await findNative(major)) === undefined ? "stand-in" : "native";
}

async function findNative(major: RicMajor): Promise<string | undefined> {
  return findCached(await nativeName(major));
}

async function nativeName(major: RicMajor): Promise<string> {
  return `${await lockedName(`ric-${major}`)}-${process.platform}-${process.arch}`;
}
