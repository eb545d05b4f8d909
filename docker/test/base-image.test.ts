/** The stand-in base holds to what AWS documents; the other image tests rest on it. */
import { afterAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { type RuntimeApi, startRuntimeApi } from "../../test/support/runtime-api.ts";
import { type Container, type ContainerOptions, startContainer } from "./container.ts";
import { connectEngine } from "./engine.ts";
import { filesRead, underTrace } from "./files-read.ts";
import { buildFunctionImage } from "./function-image.ts";
import { addedBytes } from "./image-size.ts";

const engine = connectEngine(inject("dockerHost"));
const bases = inject("baseImages");
const files = {
  "app.mjs": `import { writeFileSync } from "node:fs";
export const handler = async (event) => {
  let root = "writable";
  try { writeFileSync("/var/task/x", ""); } catch (error) { root = error.code; }
  writeFileSync("/tmp/x", "");
  return { event, root, uid: process.getuid(), cwd: process.cwd(), argv: process.execArgv,
    node: process.version, environment: process.env.AWS_EXECUTION_ENV, handler: process.env._HANDLER };
};`,
  "broken.mjs": "throw new TypeError('no database');",
};
const images = new Map<string, Promise<string>>();

async function imageOf(base: string, handler: string): Promise<string> {
  const key = `${base} ${handler}`;
  const image = images.get(key) ?? buildFunctionImage(engine, { base, files, handler });
  images.set(key, image);
  return image;
}

async function run(options: ContainerOptions): Promise<Container> {
  const container = await startContainer(engine, options);
  onTestFinished(() => container.remove());
  return container;
}

async function runtimeApi(): Promise<RuntimeApi> {
  const api = await startRuntimeApi();
  onTestFinished(() => api.close());
  return api;
}

function environment(api: RuntimeApi): Record<string, string> {
  return {
    AWS_LAMBDA_RUNTIME_API: api.address,
    AWS_LAMBDA_FUNCTION_NAME: "orders",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
    AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/orders",
    AWS_LAMBDA_LOG_STREAM_NAME: "stream",
  };
}

afterAll(async () => {
  for (const image of images.values()) await engine.tryDocker("rmi", "--force", await image);
});

describe.each(["24", "22"] as const)("Node %s", (major) => {
  const base = bases[major];

  test("a function runs as an unprivileged user on a read-only root", async () => {
    const api = await runtimeApi();
    await run({ image: await imageOf(base, "app.handler"), env: environment(api) });
    const { response } = await api.invoke({ n: 1 });
    expect(response).toMatchObject({
      event: { n: 1 },
      root: "EROFS",
      uid: 1051,
      cwd: "/var/task",
      environment: `AWS_Lambda_nodejs${major}.x`,
      handler: "app.handler",
    });
    expect((response as { node: string }).node).toMatch(new RegExp(`^v${major}\\.`));
    const { argv } = response as { argv: string[] };
    expect(argv.includes("--no-experimental-require-module")).toBe(major === "22");
    expect(argv).toContain("--max-old-space-size=460");
  });

  test("an init error is posted with its type, message and stack", async () => {
    const api = await runtimeApi();
    const broken = await run({
      image: await imageOf(base, "broken.handler"),
      env: environment(api),
    });
    expect(await api.initialized).toMatchObject({
      errorType: "TypeError",
      errorMessage: "no database",
      trace: expect.arrayContaining(["    at file:///var/task/broken.mjs:1:7"]),
    });
    expect(await broken.exitCode()).not.toBe(0);
  });

  test("a paused container does nothing and goes on when it is thawed", async () => {
    const api = await runtimeApi();
    const container = await run({
      image: await imageOf(base, "app.handler"),
      env: environment(api),
    });
    await api.invoke(1);
    await container.pause();
    const answer = api.invoke(2);
    const whilePaused = await Promise.race([answer, sleep(1500)]);
    await container.unpause();
    expect(whilePaused).toBe("slept");
    expect((await answer).response).toMatchObject({ event: 2 });
  });

  test("memory and processor limits hold", async () => {
    const container = await run({
      image: base,
      entrypoint: "/bin/sh",
      command: ["-c", LIMITS],
      memoryMiB: 128,
      cpus: 0.3,
    });
    expect(await container.exitCode()).toBe(0);
    expect((await container.logs()).stdout.split("\n").slice(0, 2)).toEqual(["134217728", "30000"]);
  });

  test.each([
    ["no handler", [], {}, 142],
    ["two handlers", ["a.b", "c.d"], {}, 142],
    ["a missing exec wrapper", ["a.b"], { AWS_LAMBDA_EXEC_WRAPPER: "/gone" }, 127],
    ["an exec wrapper that is no program", ["a.b"], { AWS_LAMBDA_EXEC_WRAPPER: "/etc/hosts" }, 126],
  ])("%s ends with the documented code", async (_name, command, env, code) => {
    const container = await run({
      image: base,
      command,
      env: { AWS_LAMBDA_RUNTIME_API: "127.0.0.1:1", ...env },
    });
    expect(await container.exitCode()).toBe(code);
  });

  test("the files read while starting are told one by one", async () => {
    const api = await runtimeApi();
    const image = await imageOf(base, "app.handler");
    const traced = underTrace({ image, env: environment(api) }, ["/lambda-entrypoint.sh"]);
    const container = await run({ ...traced, command: [...(traced.command ?? []), "app.handler"] });
    await api.initialized;
    const read = filesRead((await container.logs()).stderr);
    expect(read).toEqual(expect.arrayContaining(["/var/runtime/index.mjs", "/var/task/app.mjs"]));
    expect(read).not.toContain("/var/task/broken.mjs");
  });

  test("the size added to the base is that of the compressed layers", async () => {
    const added = await addedBytes(engine, base, await imageOf(base, "app.handler"));
    expect(added).toBeGreaterThan(200);
    expect(added).toBeLessThan(5000);
  });
});

/** Under cgroup 1 and 2. */
const LIMITS = `cd /sys/fs/cgroup
if [ -f cpu.max ]; then cat memory.max; cut -d' ' -f1 cpu.max
else cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us; fi`;

function sleep(durationMs: number): Promise<string> {
  return new Promise((done) => {
    setTimeout(() => done("slept"), durationMs);
  });
}
