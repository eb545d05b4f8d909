import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BundledScript, bundleScript } from "../support/bundle-script.ts";
import { handlerCases } from "../support/handler-cases.ts";
import { invokeOnce, type Outcome, taskRootIn } from "../support/one-invocation.ts";

const tasks = mkdtempSync(join(tmpdir(), "coldspan-tasks-"));
let script: BundledScript;
let preload: string;

beforeAll(async () => {
  script = await bundleScript("test/support/handler-preload.ts");
  preload = script.path;
});

afterAll(async () => {
  rmSync(tasks, { recursive: true });
  await script.remove();
});

const clients = [4, 3] as const;

/** Node's steps to a statically imported module differ from those to a dynamically imported one. */
const LOADER_FRAME = / {4}at [^"(]*\(?node:(?:internal\/modules\/esm|diagnostics_channel)[^"]*/g;

/** Without times, and without the preload's own lines: they are what differs on purpose. */
function comparable({ stdout, answer, ...outcome }: Outcome): unknown {
  const log = stdout
    .split("\n")
    .filter((line) => !/before load|wrapped call/.test(line))
    .map((line) => line.replace(/^\S+Z/, "<time>"));
  const text = JSON.stringify({ ...outcome, answer, log }, (_key, value: unknown) =>
    typeof value === "string" ? value.replaceAll(LOADER_FRAME, "<loader>") : value,
  );
  return JSON.parse(text);
}

describe.each(clients)("under client %s", (client) => {
  test.concurrent.each(handlerCases)(
    "$name ends as without the hook",
    async ({ files, handler }) => {
      const taskRoot = taskRootIn(tasks, files);
      const [plain, hooked] = await Promise.all([
        invokeOnce({ client, taskRoot, handler }),
        invokeOnce({ client, taskRoot, handler, preload }),
      ]);
      expect(comparable(hooked)).toEqual(comparable(plain));
      expect(plain.initError ?? plain.answer).toBeDefined();
      expect(hooked.stdout.includes("wrapped call")).toBe(plain.initError === undefined);
    },
  );
});

test("on Managed Instances every worker thread gets a wrapped handler", async () => {
  const taskRoot = taskRootIn(tasks, {
    "app.mjs": `import { isMainThread } from "node:worker_threads";
export const handler = async () => ({ isMainThread });`,
  });
  const outcome = await invokeOnce({
    client: 4,
    taskRoot,
    handler: "app.handler",
    preload,
    maxConcurrency: 2,
  });
  expect(outcome.answer).toBe('{"isMainThread":false}');
  expect(outcome.stdout).toContain("wrapped call");
});

test("a streaming handler stays one", async () => {
  const taskRoot = taskRootIn(tasks, {
    "app.mjs": `export const handler = async (event, stream) => { stream.end(JSON.stringify("streamed")); };
handler[Symbol.for("aws.lambda.runtime.handler.streaming")] = "response";`,
  });
  const run = { taskRoot, handler: "app.handler", preload };
  for (const client of clients) {
    const outcome = await invokeOnce({ client, ...run });
    expect(outcome.answer).toBe('"streamed"');
    expect(outcome.stdout).toContain("wrapped call");
  }
});
