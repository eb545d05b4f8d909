/** The stand-in base holds to what AWS documents; the other image tests rest on it. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, inject, test } from "vitest";
import { startContainer } from "./container.ts";
import { connectEngine } from "./engine.ts";
import { functionImages } from "./function-image.ts";
import { runImageFunction } from "./image-function.ts";

const engine = connectEngine(inject("dockerHost"));
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
const built = functionImages(engine);
afterAll(() => built.remove());

describe.each(inject("images"))("Node $major", ({ major, base }) => {
  const imageOf = (handler: string) => built.build({ base, files, handler });

  test("a function runs as an unprivileged user on a read-only root", async () => {
    const { api } = await runImageFunction(engine, { image: await imageOf("app.handler") });
    const response = JSON.parse((await api.invoke({ n: 1 })).body.toString());
    expect(response).toMatchObject({
      event: { n: 1 },
      root: "EROFS",
      uid: 1051,
      cwd: "/var/task",
      environment: `AWS_Lambda_nodejs${major}.x`,
      handler: "app.handler",
    });
    expect(response.node).toMatch(new RegExp(`^v${major}\\.`));
    expect(response.argv.includes("--no-experimental-require-module")).toBe(major === 22);
    expect(response.argv).toContain("--max-old-space-size=460");
  });

  test("an init error is posted with its type, message and stack", async () => {
    const { api, container } = await runImageFunction(engine, {
      image: await imageOf("broken.handler"),
    });
    expect(await api.initialized).toMatchObject({
      kind: "error",
      error: {
        type: "TypeError",
        message: "no database",
        trace: expect.arrayContaining(["    at file:///var/task/broken.mjs:1:7"]),
      },
    });
    expect(await container.exitCode()).not.toBe(0);
  });

  test("a paused container does nothing and goes on when it is thawed", async () => {
    const { api, container } = await runImageFunction(engine, {
      image: await imageOf("app.handler"),
    });
    await api.invoke(1);
    await container.pause();
    const answer = api.invoke(2);
    const whilePaused = await Promise.race([answer, sleep(1500, "slept")]);
    await container.unpause();
    expect(whilePaused).toBe("slept");
    expect(JSON.parse((await answer).body.toString())).toMatchObject({ event: 2 });
  });

  test("memory and processor limits hold", async () => {
    const container = await startContainer(engine, {
      image: base,
      entrypoint: "/bin/sh",
      command: ["-c", LIMITS],
      memoryMiB: 128,
      cpus: 0.3,
    });
    expect(await container.exitCode()).toBe(0);
    expect((await container.logs()).stdout.split("\n").slice(0, 2)).toEqual(["134217728", "30000"]);
    await container.remove();
  });

  test.each([
    ["no handler", [], {}, 142],
    ["two handlers", ["a.b", "c.d"], {}, 142],
    ["a missing exec wrapper", ["a.b"], { AWS_LAMBDA_EXEC_WRAPPER: "/gone" }, 127],
    ["an exec wrapper that is no program", ["a.b"], { AWS_LAMBDA_EXEC_WRAPPER: "/etc/hosts" }, 126],
  ])("%s ends with the documented code", async (_name, command, env, code) => {
    const { container } = await runImageFunction(engine, { image: base, command, env });
    expect(await container.exitCode()).toBe(code);
  });
});

/** Under cgroup 1 and 2. */
const LIMITS = `cd /sys/fs/cgroup
if [ -f cpu.max ]; then cat memory.max; cut -d' ' -f1 cpu.max
else cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us; fi`;
