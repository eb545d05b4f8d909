import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { runtimeProcess, startsWorkers, withoutOptions } from "../../src/lambda/runtime-process.ts";

const root = mkdtempSync(join(tmpdir(), "coldspan-runtime-"));
afterAll(() => rmSync(root, { recursive: true }));
const client4 = file("node_modules/aws-lambda-ric/index.mjs");
const client3 = file("old/node_modules/aws-lambda-ric/bin/index.mjs");
const managed = file("var/runtime/index.mjs");
const child = file("var/task/child.js");
const env = { _HANDLER: "app.handler", LAMBDA_RUNTIME_DIR: dirname(managed) };

function file(name: string): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  return path;
}

function handlerIn(
  argv: readonly string[],
  extra: Record<string, string> = {},
  isMainThread = true,
) {
  return runtimeProcess({ argv, env: { ...env, ...extra }, isMainThread })?.handler;
}

describe("a process that loads the handler", () => {
  test("is the managed runtime's", () => {
    expect(handlerIn(["node", managed])).toBe("app.handler");
  });

  test("is client 4's program, also by its link", () => {
    const link = join(root, "aws-lambda-ric");
    symlinkSync(client4, link);
    expect(handlerIn(["node", link, "ignored.handler"])).toBe("app.handler");
  });

  test("is client 3's program, which takes the handler as its argument", () => {
    expect(handlerIn(["node", client3, "own.handler"])).toBe("own.handler");
  });

  test("is a worker thread on Managed Instances", () => {
    const managedInstances = { AWS_LAMBDA_MAX_CONCURRENCY: "8" };
    expect(handlerIn(["node", managed], managedInstances, false)).toBe("app.handler");
    expect(handlerIn(["node", managed], managedInstances, true)).toBeUndefined();
  });
});

describe("a process that does not load the handler", () => {
  test.each([
    ["a child process", ["node", child]],
    ["an expression", ["node"]],
    ["a missing file", ["node", join(root, "gone.mjs")]],
    ["client 3 without a handler", ["node", client3]],
  ])("is %s", (_name, argv) => {
    expect(handlerIn(argv)).toBeUndefined();
  });
});

test("only the main thread on Managed Instances starts threads that load the handler", () => {
  const isStarting = (file: string, isMainThread: boolean, extra: Record<string, string>) =>
    startsWorkers({ argv: ["node", file], env: { ...env, ...extra }, isMainThread });
  const managedInstances = { AWS_LAMBDA_MAX_CONCURRENCY: "8" };
  expect(isStarting(managed, true, managedInstances)).toBe(true);
  expect(isStarting(managed, false, managedInstances)).toBe(false);
  expect(isStarting(child, true, managedInstances)).toBe(false);
  expect(isStarting(managed, true, {})).toBe(false);
});

test("the client's modules are told by URL", () => {
  const { isRuntime } = runtimeProcess({
    argv: ["node", client3, "own.handler"],
    env: {},
    isMainThread: true,
  }) ?? { isRuntime: () => false };
  const library = join(root, "old/node_modules/aws-lambda-ric/dist/index.mjs");
  expect(isRuntime(pathToFileURL(client3).href)).toBe(true);
  expect(isRuntime(pathToFileURL(library).href)).toBe(true);
  expect(isRuntime(pathToFileURL(child).href)).toBe(false);
});

test.each([
  ["--import=a.mjs", ""],
  ["--require=a.mjs --import=a.mjs --require ./b.js", "--require ./b.js"],
  ["--max-old-space-size=100  --import=a.mjs", "--max-old-space-size=100"],
  ["--import=a.mjs.other", "--import=a.mjs.other"],
])("%j without the preload is %j", (nodeOptions, rest) => {
  expect(withoutOptions(nodeOptions, ["--import=a.mjs", "--require=a.mjs"])).toBe(rest);
});
