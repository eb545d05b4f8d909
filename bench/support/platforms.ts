/** What functions run on: Lambda's Node.js versions, each with the runtime client of its image. */
import { installRuntime } from "../../runtimes/installed-runtime.ts";
import { type Addon, availableAddons, ensureNode, ensureRuntime } from "../../runtimes/runtimes.ts";
import type { NodeBinary, RuntimeClient } from "../../src/dev/function-process.ts";

export interface Platform {
  readonly node: NodeBinary;
  readonly ric: RuntimeClient;
}

export type NodeMajor = NodeBinary["major"];

/** Lambda's image of Node 22 has client 3, that of Node 24 client 4. */
const CLIENT = { 22: 3, 24: 4 } as const;

export async function openPlatform(major: NodeMajor): Promise<Platform> {
  const client = await ensureRuntime(CLIENT[major], await chooseAddon(major));
  return { node: await ensureNode(major), ric: await installRuntime(client) };
}

/** The stand-in only where the native addon is not compiled: its thread is measured along. */
export async function chooseAddon(major: NodeMajor): Promise<Addon> {
  const addons = await availableAddons(CLIENT[major]);
  return addons.includes("native") ? "native" : "stand-in";
}
