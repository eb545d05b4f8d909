/** coldspan as a part of the image: its files, and what the image's build compiles ahead. */
import { existsSync, rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PRIMING_EVENTS, primingSetups, STAND_IN_HANDLER } from "../../docker/priming.ts";
import { buildImageFiles } from "../../scripts/build-image.ts";
import { startFunction } from "../../src/dev/function-process.ts";
import { COMPILE_CACHE_LINKS } from "../../src/image/compile-cache.ts";
import type { Collector } from "./collector.ts";
import type { Platform } from "./platforms.ts";
import type { Setup } from "./setup.ts";
import type { Deployment } from "./workshop.ts";

const BUILT = fileURLToPath(new URL("../../dist/image/opt/coldspan", import.meta.url));

/** Copies coldspan's files to where an image would have `/opt/coldspan`. */
export async function layOutImage(home: string): Promise<string> {
  // Gone since the package was built, which begins with an empty `dist/`.
  if (!existsSync(BUILT)) await buildImageFiles();
  await cp(BUILT, home, { recursive: true });
  return home;
}

/** What the image's entrypoint puts into the environment. */
export function imageVariables(home: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--require=${join(home, "preload.cjs")}` };
}

/** Each of Lambda's environments begins with an empty `/tmp`. */
export function emptyTmp(): void {
  rmSync(COMPILE_CACHE_LINKS, { recursive: true, force: true });
}

/** Fills the compile cache as far as the setup's image has it; each Node.js keeps a part of its own. */
export async function compileAhead(
  { image = "files" }: Setup,
  { imageHome, taskRoot, handler }: Deployment,
  platform: Platform,
  collector: Collector,
): Promise<void> {
  if (imageHome === undefined || image === "files") return;
  const cache = join(imageHome, "compile-cache");
  await mkdir(cache, { recursive: true });
  const standIn = await mkdtemp(join(imageHome, "prime-"));
  await writeFile(join(standIn, "app.mjs"), STAND_IN_HANDLER);
  const env = { ...imageVariables(imageHome), BENCH_AWS_ENDPOINT: collector.awsUrl };
  for (const setup of primingSetups(collector)) {
    await fillCache({ ...env, ...setup }, platform, standIn, "app.handler", PRIMING_EVENTS);
  }
  await rm(standIn, { recursive: true });
  if (image === "warmed") await fillCache(env, platform, taskRoot, handler);
  if ((await readdir(cache)).length === 0) throw new Error("nothing was compiled ahead");
}

/** As `coldspan warm` does: loads the handler, invokes it with the events, and has the cache written. */
async function fillCache(
  env: Readonly<Record<string, string>>,
  platform: Platform,
  taskRoot: string,
  handler: string,
  events?: readonly unknown[],
): Promise<void> {
  const running = await startFunction({
    ...platform,
    taskRoot,
    handler,
    env: { ...env, COLDSPAN_WARM_UP: events === undefined ? "load" : "prime" },
  });
  try {
    const init = await running.api.initialized;
    if (init.kind === "error") throw new Error(`cannot warm up: ${running.stderr}`);
    for (const event of events ?? []) await (await running.invoke(event)).settled;
    process.kill(running.pid, "SIGUSR2");
    await running.exited;
  } finally {
    await running.close();
  }
}
