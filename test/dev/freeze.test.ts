import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import type { FunctionProcess } from "../../src/dev/running-function.ts";
import { NEWEST, runFunction } from "../support/functions.ts";

const PLAIN = {
  "app.mjs": `process.on("SIGTERM", () => console.log("got SIGTERM"));
export const handler = async (event) => event;`,
};

/** An internal extension that works on after the response until there is a file named `go`. */
const WITH_EXTENSION = {
  "app.mjs": `import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
const base = \`http://\${process.env.AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension\`;
const registration = await fetch(\`\${base}/register\`, {
  method: "POST",
  headers: { "lambda-extension-name": "inner" },
  body: JSON.stringify({ events: ["INVOKE"] }),
});
const headers = { "lambda-extension-identifier": registration.headers.get("lambda-extension-identifier") };
(async () => {
  for (;;) {
    await fetch(\`\${base}/event/next\`, { headers });
    while (!existsSync("go")) await sleep(5);
  }
})();
if (process.env.LISTENS === "1") process.on("SIGTERM", () => console.log("got SIGTERM"));
export const handler = async () => process.cwd();`,
};

function isStopped({ pid }: FunctionProcess): boolean {
  return execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith(
    "T",
  );
}

test("a function is frozen once it is settled and thawed by the next invocation", async () => {
  const running = await runFunction(NEWEST, PLAIN, "app.handler", { freezeWhenIdle: true });
  for (let round = 0; round < 3; round += 1) {
    const result = await running.invoke({ round });
    expect(result.body.toString()).toBe(JSON.stringify({ round }));
    expect(await result.settled).toMatchObject({ kind: "idle" });
    await expect.poll(() => isStopped(running)).toBe(true);
  }
});

test("invocations that wait are worked off before the freeze", async () => {
  const running = await runFunction(NEWEST, PLAIN, "app.handler", { freezeWhenIdle: true });
  const results = await Promise.all([1, 2, 3].map((event) => running.invoke(event)));
  expect(results.map((result) => result.body.toString())).toEqual(["1", "2", "3"]);
  await expect.poll(() => isStopped(running)).toBe(true);
});

test("an INVOKE extension works on after the response, and only then comes the freeze", async () => {
  const running = await runFunction(NEWEST, WITH_EXTENSION, "app.handler", {
    freezeWhenIdle: true,
  });
  const result = await running.invoke({});
  const settled = vi.fn();
  void result.settled.then(settled);
  await sleep(50);
  expect(settled).not.toHaveBeenCalled();
  expect(isStopped(running)).toBe(false);
  writeFileSync(join(JSON.parse(result.body.toString()), "go"), "");
  expect(await result.settled).toMatchObject({ kind: "idle" });
  await expect.poll(() => isStopped(running)).toBe(true);
  expect((await running.invoke({})).outcome).toBe("response");
  expect(running.api.extensions).toMatchObject([{ name: "inner", events: ["INVOKE"] }]);
});

test("a function can be frozen by hand, for a while", async () => {
  const running = await runFunction(NEWEST, PLAIN, "app.handler");
  await running.api.initialized;
  const frozen = running.freezeFor(200);
  await expect.poll(() => isStopped(running)).toBe(true);
  await frozen;
  expect((await running.invoke("awake")).body.toString()).toBe('"awake"');
});

test("without an extension the process is killed without a word", async () => {
  const running = await runFunction(NEWEST, PLAIN, "app.handler");
  await running.invoke({});
  expect(await running.terminate()).toEqual({ code: null, signal: "SIGKILL" });
  expect(running.stdout).not.toContain("got SIGTERM");
});

test("an internal extension buys a SIGTERM, which ends a process that does not listen", async () => {
  const running = await runFunction(NEWEST, WITH_EXTENSION, "app.handler");
  await running.invoke({});
  expect(await running.terminate()).toEqual({ code: null, signal: "SIGTERM" });
});

test("a process that listens for SIGTERM, frozen or not, has its time before it is killed", async () => {
  const files = { ...WITH_EXTENSION, go: "" };
  const running = await runFunction(NEWEST, files, "app.handler", {
    env: { LISTENS: "1" },
    freezeWhenIdle: true,
  });
  await (await running.invoke({})).settled;
  await expect.poll(() => isStopped(running)).toBe(true);
  expect(await running.terminate()).toEqual({ code: null, signal: "SIGKILL" });
  expect(running.stdout).toContain("got SIGTERM");
});

test("peak memory is that of a Node process where the system tells it", async () => {
  const running = await runFunction(NEWEST, PLAIN, "app.handler");
  await running.invoke({});
  const peakBytes = running.peakMemoryBytes();
  if (process.platform === "linux") expect(peakBytes).toBeGreaterThan(20_000_000);
  else expect(peakBytes).toBeUndefined();
});
