import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { handlerCases } from "../support/handler-cases.ts";
import {
  type ClientVersion,
  type Outcome,
  runFunction,
  taskRootWith,
} from "../support/runtime-client.ts";

const preload = resolve("test/support/handler-preload.ts");
const clients: readonly ClientVersion[] = ["4.0.2", "3.3.0"];

/** Node's steps to a statically imported module differ from those to a dynamically imported one. */
const LOADER_FRAME = / {4}at [^"(]*\(?node:(?:internal\/modules\/esm|diagnostics_channel)[^"]*/g;

/** Without times, and without the preload's own lines: they are what differs on purpose. */
function comparable({ stdout, ...outcome }: Outcome): unknown {
  const log = stdout
    .split("\n")
    .filter((line) => !/before load|wrapped call/.test(line))
    .map((line) => line.replace(/^\S+Z/, "<time>"));
  const text = JSON.stringify({ ...outcome, log }, (_key, value: unknown) =>
    typeof value === "string" ? value.replaceAll(LOADER_FRAME, "<loader>") : value,
  );
  return JSON.parse(text);
}

describe.each(clients)("under client %s", (client) => {
  test.concurrent.each(handlerCases)(
    "$name ends as without the hook",
    async ({ files, handler }) => {
      const taskRoot = taskRootWith(files);
      const [plain, hooked] = await Promise.all([
        runFunction({ client, taskRoot, handler }),
        runFunction({ client, taskRoot, handler, preload }),
      ]);
      expect(comparable(hooked)).toEqual(comparable(plain));
      expect(plain.initError ?? plain.response).toBeDefined();
      expect(hooked.stdout.includes("wrapped call")).toBe(plain.initError === undefined);
    },
  );
});
