import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BundledScript, bundleScript } from "../support/bundle-script.ts";
import { comparable } from "../support/comparable-outcome.ts";
import { handlerCases } from "../support/handler-cases.ts";
import { invokeOnce, taskRootIn } from "../support/one-invocation.ts";

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

/** They are what differs on purpose. */
const PRELOAD_LINE = /before load|wrapped call/;

describe.each(clients)("under client %s", (client) => {
  test.concurrent.each(handlerCases)(
    "$name ends as without the hook",
    async ({ files, handler }) => {
      const taskRoot = taskRootIn(tasks, files);
      const [plain, hooked] = await Promise.all([
        invokeOnce({ client, taskRoot, handler }),
        invokeOnce({ client, taskRoot, handler, preload }),
      ]);
      expect(comparable(hooked, PRELOAD_LINE)).toEqual(comparable(plain));
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
