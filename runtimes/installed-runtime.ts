/** A runtime client where npm would install it: by that folder's name coldspan's image knows it. */
import { cp } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type { RuntimeClient } from "../src/dev/function-process.ts";
import { cached } from "./cache.ts";

const CLIENT_PACKAGE = "aws-lambda-ric";

/** Copies the client's package into a folder of its own name, once. */
export async function installRuntime(ric: RuntimeClient): Promise<RuntimeClient> {
  const source = ric.major === 3 ? dirname(dirname(ric.path)) : dirname(ric.path);
  const directory = await cached(join("installed", basename(source), CLIENT_PACKAGE), (draft) =>
    cp(source, draft, { recursive: true }),
  );
  return { ...ric, path: join(directory, relative(source, ric.path)) };
}
