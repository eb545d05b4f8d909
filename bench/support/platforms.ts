/** What functions run on: Lambda's Node.js versions, each with the runtime client of its image. */
import { ensureNode, ensureRuntime } from "../../runtimes/runtimes.ts";
import type { NodeBinary, RuntimeClient } from "../../src/dev/function-process.ts";

export interface Platform {
  readonly node: NodeBinary;
  readonly ric: RuntimeClient;
}

export type NodeMajor = NodeBinary["major"];

/** Lambda's image of Node 22 has client 3, that of Node 24 client 4. */
const CLIENT = { 22: 3, 24: 4 } as const;

/** With the native addon: the stand-in's thread would be measured along. */
export async function openPlatform(major: NodeMajor): Promise<Platform> {
  return { node: await ensureNode(major), ric: await ensureRuntime(CLIENT[major], "native") };
}
