/**
 * `npm run runtimes`: compiles the runtime client's native addon with the package's own scripts
 * (about a minute, once per checkout) and gives it to both major versions.
 */
import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "./cache.ts";
import { addNative, availableAddons, ensureNode, installedClient } from "./runtimes.ts";

/** What the package's scripts call; without one of them the stand-in serves. */
const TOOLS = ["cmake", "make", "g++", "python3"];

async function compileAll(): Promise<void> {
  await ensureNode(22);
  const missing = TOOLS.filter((tool) => !isInstalled(tool));
  if (process.platform !== "linux" || missing.length > 0) {
    const reason = missing.length > 0 ? `${missing.join(", ")} missing` : "Linux only";
    console.log(`No native addon (${reason}): the stand-in serves.`);
    return;
  }
  const missingMajors = await majorsWithoutAddon();
  if (missingMajors.length === 0) {
    console.log("The native addon is compiled.");
    return;
  }
  const startMs = performance.now();
  console.log("Compiling the runtime client's native addon (about a minute) …");
  await compileInto(missingMajors);
  console.log(`Compiled in ${Math.round((performance.now() - startMs) / 1000)} s.`);
}

/**
 * RIC 4's source is compiled for RIC 3 as well: both have the same `rapid-client.cc`, and RIC 3's
 * copy of curl needs autotools on top.
 */
async function compileInto(majors: readonly (3 | 4)[]): Promise<void> {
  await assertSameSource();
  const scratch = await mkdtemp(join(tmpdir(), "coldspan-ric-"));
  try {
    // node-gyp and node-addon-api are beside the package in node_modules: copy them along.
    await cp(dirname(await installedClient(4)), join(scratch, "node_modules"), {
      recursive: true,
    });
    const directory = join(scratch, "node_modules", "aws-lambda-ric");
    await run("nice", ["npm", "run", "preinstall"], directory);
    await run("nice", ["npm", "run", "postinstall"], directory);
    for (const major of majors) await addNative(major, join(directory, "rapid-client.node"));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function majorsWithoutAddon(): Promise<(3 | 4)[]> {
  const majors: (3 | 4)[] = [];
  for (const major of [3, 4] as const) {
    if (!(await availableAddons(major)).includes("native")) majors.push(major);
  }
  return majors;
}

async function assertSameSource(): Promise<void> {
  const ric3 = await readFile(join(await installedClient(3), "src/rapid-client.cc"));
  const ric4 = await readFile(join(await installedClient(4), "src/native/rapid-client.cc"));
  if (!ric3.equals(ric4)) throw new Error("RIC 3 and 4 have different addons: compile both");
}

function isInstalled(tool: string): boolean {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

await compileAll();
