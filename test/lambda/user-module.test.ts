import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import type { LoadStyle } from "../../src/lambda/user-module.ts";
import { handlerCases } from "../support/handler-cases.ts";
import {
  type ClientVersion,
  clientFile,
  type Outcome,
  runFunction,
  taskRootIn,
} from "../support/runtime-client.ts";

const tasks = mkdtempSync(join(tmpdir(), "coldspan-tasks-"));
afterAll(() => rmSync(tasks, { recursive: true }));
const run = promisify(execFile);
const styles: readonly { readonly client: ClientVersion; readonly style: LoadStyle }[] = [
  { client: "4.0.2", style: "import" },
  { client: "3.3.0", style: "require" },
];

async function loadAlone(taskRoot: string, handler: string, style: LoadStyle, client: string) {
  const { stdout } = await run(
    process.execPath,
    ["test/support/load-user-module.ts", taskRoot, handler, style, client],
    { env: { _HANDLER: handler } },
  );
  return JSON.parse(stdout) as unknown;
}

function resultOf({ initError, answer }: Outcome): unknown {
  if (initError === undefined) return { result: answer?.response };
  const { errorType, errorMessage } = initError;
  return { errorType, errorMessage };
}

/** Node names the importing file, which is another one here. */
function withoutImporter(result: unknown): unknown {
  return JSON.parse(JSON.stringify(result).replace(/imported from [^"\\]+/, "imported"));
}

describe.each(styles)("by $style, as client $client", ({ client, style }) => {
  test.concurrent.each(handlerCases)("$name", async ({ files, handler }) => {
    const taskRoot = taskRootIn(tasks, files);
    const outcome = await runFunction({ client, taskRoot, handler });
    const loaded = await loadAlone(taskRoot, handler, style, clientFile(client));
    expect(withoutImporter(loaded)).toEqual(withoutImporter(resultOf(outcome)));
  });
});
