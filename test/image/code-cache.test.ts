/** The image's files in the real runtimes: what was compiled ahead is used, and only for the text it was made from. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { installRuntime } from "../../runtimes/installed-runtime.ts";
import { ensureNode, ensureRuntime } from "../../runtimes/runtimes.ts";
import { buildImageFiles } from "../../scripts/build-image.ts";
import { startFunction } from "../../src/dev/function-process.ts";
import type { FunctionProcess } from "../../src/dev/running-function.ts";
import { COMPILE_CACHE_LINKS } from "../../src/image/compile-cache.ts";
import { LAMBDA_RUNTIMES, type Runtime } from "../support/deployed.ts";

/** As Lambda starts functions of little memory. */
const HEAP_FLAGS = ["--max-old-space-size=115", "--max-semi-space-size=8"];
const FUNCTIONS = Array.from(
  { length: 600 },
  (_, index) =>
    `function part${index}(value) { const next = { value, index: ${index} }; return next.index >= 0 ? next.value + 1 : 0; }`,
).join("\n");
const CALLS = Array.from({ length: 600 }, (_, index) => `part${index}(sum)`);
/** As a bundler leaves it: one file, of which most runs while it is loaded. */
const BUNDLE = `${FUNCTIONS}
let sum = 0;
${CALLS.map((call) => `sum = ${call};`).join("\n")}
const idle = require("./idle.js");
exports.handler = async () => ({ sum, text: "first", idle: typeof idle, os: typeof (await import("node:os")).arch });
`;
/** As large, and hardly any of it runs. */
const IDLE = `${FUNCTIONS}\nmodule.exports = part0;\n`;
const ANSWER = { sum: 600, text: "first", idle: "function", os: "function" };

const parent = mkdtempSync(join(tmpdir(), "coldspan-image-"));

beforeAll(() => buildImageFiles());

// Of another test's files, in which Lambda's environments do not begin.
beforeEach(() => rmSync(COMPILE_CACHE_LINKS, { recursive: true, force: true }));

afterAll(() => rmSync(parent, { recursive: true }));

interface Image {
  readonly home: string;
  readonly taskRoot: string;
  /** Of the handler's file, below the task root. */
  readonly folder: string;
}

describe.each(LAMBDA_RUNTIMES)("Node $node, client $ric", (runtime) => {
  test("a bundle's code and coldspan's own are used, with any memory size", async () => {
    const image = await warmed(runtime);
    const { home, taskRoot } = image;
    const { answer, log } = await run(runtime, image);
    expect(answer).toEqual(ANSWER);
    expect(log).toContain(`compiled code of ${home}/coldspan.cjs was used`);
    expect(log).toContain(`compiled code of ${taskRoot}/app.js was used`);
    expect(log).not.toContain("Warning");
  });

  test("a file of which little ran stays in Node's own cache", async () => {
    const image = await warmed(runtime);
    const { taskRoot } = image;
    const { log } = await run(runtime, image);
    expect(log).not.toContain(`compiled code of ${taskRoot}/idle.js`);
    expect(log).toContain(`${taskRoot}/idle.js was accepted`);
  });

  test("a path too long to be a file's name is left to Node's own cache", async () => {
    const image = await warmed(runtime, join("d".repeat(120), "e".repeat(120)));
    const { answer, log } = await run(runtime, image);
    expect(answer).toEqual(ANSWER);
    expect(log).toContain(`${image.taskRoot}/${image.folder}/app.js was accepted`);
  });

  test("code that the function's user may not read is compiled anew", async () => {
    const image = await warmed(runtime);
    for (const entry of entriesOf(image)) {
      rmSync(entry);
      mkdirSync(entry);
    }
    const { answer } = await run(runtime, image);
    expect(answer).toEqual(ANSWER);
  });

  test("another text of the same length is compiled anew", async () => {
    const image = await warmed(runtime);
    const file = join(image.taskRoot, "app.js");
    writeFileSync(file, readFileSync(file, "utf8").replace("first", "other"));
    const { answer, log } = await run(runtime, image);
    expect(answer).toEqual({ ...ANSWER, text: "other" });
    expect(log).toContain(`compiled code of ${file} was made from another text`);
  });

  test("code that V8 does not take is compiled anew", async () => {
    const image = await warmed(runtime);
    for (const entry of entriesOf(image)) {
      const bytes = readFileSync(entry);
      bytes.writeUInt32LE(0xffff_ffff, STAMP_AND_MAGIC_BYTES);
      writeFileSync(entry, bytes);
    }
    const { answer, log } = await run(runtime, image);
    expect(answer).toEqual(ANSWER);
    expect(log).toContain(`compiled code of ${image.taskRoot}/app.js was rejected by V8`);
    expect(log).toContain(`compiled code of ${image.home}/coldspan.cjs was rejected by V8`);
  });
});

/** Before the hash of V8's version and flags. */
const STAMP_AND_MAGIC_BYTES = 16 + 4;

function entriesOf({ home }: Image): readonly string[] {
  const cache = join(home, "compile-cache");
  const code = readdirSync(cache).find((name) => name.startsWith("code-")) ?? "";
  return readdirSync(join(cache, code)).map((name) => join(cache, code, name));
}

/** The image's files beside a function, as `coldspan warm` leaves them. */
async function warmed(runtime: Runtime, folder = ""): Promise<Image> {
  const home = mkdtempSync(join(parent, "home-"));
  const taskRoot = mkdtempSync(join(parent, "task-"));
  await cp("dist/image/opt/coldspan", home, { recursive: true });
  mkdirSync(join(taskRoot, folder), { recursive: true });
  writeFileSync(join(taskRoot, folder, "app.js"), BUNDLE);
  writeFileSync(join(taskRoot, folder, "idle.js"), IDLE);
  const image = { home, taskRoot, folder };
  const running = await start(runtime, image, { COLDSPAN_WARM_UP: "load" });
  await running.api.initialized;
  process.kill(running.pid, "SIGUSR2");
  await running.exited;
  return image;
}

async function run(
  runtime: Runtime,
  image: Image,
): Promise<{ readonly answer: unknown; readonly log: string }> {
  const running = await start(
    runtime,
    image,
    { OTEL_LOG_LEVEL: "debug", NODE_DEBUG_NATIVE: "COMPILE_CACHE" },
    HEAP_FLAGS,
  );
  const { body } = await running.invoke({});
  return { answer: JSON.parse(body.toString()), log: running.stderr };
}

async function start(
  { node, ric }: Runtime,
  { home, taskRoot, folder }: Image,
  env: Readonly<Record<string, string>>,
  execArgv: readonly string[] = [],
): Promise<FunctionProcess> {
  const running = await startFunction({
    node: await ensureNode(node),
    ric: await installRuntime(await ensureRuntime(ric)),
    taskRoot,
    handler: join(folder, "app.handler"),
    execArgv: [...execArgv, "--require", join(home, "preload.cjs")],
    env: { OTEL_TRACES_EXPORTER: "none", ...env },
  });
  onTestFinished(() => running.close());
  return running;
}
