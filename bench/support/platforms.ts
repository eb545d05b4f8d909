/** What functions run on: Lambda's Node.js versions, each with the runtime client of its image. */
import { cp } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { cached } from "../../runtimes/cache.ts";
import { type Addon, availableAddons, ensureNode, ensureRuntime } from "../../runtimes/runtimes.ts";
import type { NodeBinary, RuntimeClient } from "../../src/dev/function-process.ts";

export interface Platform {
  readonly node: NodeBinary;
  readonly ric: RuntimeClient;
}

export type NodeMajor = NodeBinary["major"];

/** Lambda's image of Node 22 has client 3, that of Node 24 client 4. */
const CLIENT = { 22: 3, 24: 4 } as const;

/** As npm installs it: coldspan's image knows the client by this name. */
const CLIENT_PACKAGE = "aws-lambda-ric";

export async function openPlatform(major: NodeMajor): Promise<Platform> {
  const ric = await ensureRuntime(CLIENT[major], await chooseAddon(major));
  const installed = ric.major === 3 ? dirname(dirname(ric.path)) : dirname(ric.path);
  const directory = await cached(join("bench", basename(installed), CLIENT_PACKAGE), (draft) =>
    cp(installed, draft, { recursive: true }),
  );
  const path = join(directory, relative(installed, ric.path));
  return { node: await ensureNode(major), ric: { path, major: ric.major } };
}

/** The stand-in only where the native addon is not compiled: its thread is measured along. */
export async function chooseAddon(major: NodeMajor): Promise<Addon> {
  const addons = await availableAddons(CLIENT[major]);
  return addons.includes("native") ? "native" : "stand-in";
}
