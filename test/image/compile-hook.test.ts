/** Modules that are compiled in Node's place, in the real runtimes: nobody can tell. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BundledScript, bundleScript } from "../support/bundle-script.ts";
import { comparable } from "../support/comparable-outcome.ts";
import { type HandlerCase, handlerCases } from "../support/handler-cases.ts";
import { invokeOnce, taskRootIn } from "../support/one-invocation.ts";

const PRELOAD_LINE = /compiled in Node's place/;

const tasks = mkdtempSync(join(tmpdir(), "coldspan-tasks-"));
let script: BundledScript;

beforeAll(async () => {
  script = await bundleScript("test/support/compile-preload.ts");
});

afterAll(async () => {
  rmSync(tasks, { recursive: true });
  await script.remove();
});

/** Everything a CommonJS module can ask about itself. */
const SELF = `const child = require("./child.js");
const names = (object) => Object.getOwnPropertyNames(object).sort();
exports.early = true;
const facts = {
  self: this === module.exports && exports === module.exports,
  parameters: arguments.length,
  file: __filename, directory: __dirname, id: module.id, path: module.path,
  require: names(require), resolve: names(require.resolve),
  main: require.main === process.mainModule, cache: require.cache === require("module")._cache,
  resolved: require.resolve("./child.js"), builtin: require.resolve("node:fs"),
  paths: require.resolve.paths("x"), relative: require.resolve.paths("./x"),
  children: module.children.map(({ id }) => id), child,
  listed: require.cache[__filename] === module,
  source: (function named() { return "text"; }).toString(),
  position: new Error("here").stack.split("\\n")[1],
  strict: (function () { return this === undefined; })(),
};
exports.handler = async () => ({ ...facts, loaded: module.loaded, imported: (await import("./lazy.mjs")).default });`;

/** ES modules are none of the hook's. */
const isCommonJs = ({ files }: HandlerCase): boolean =>
  Object.values(files).some((text) => /\bexports\b|\brequire\(/.test(text));

const cases: readonly HandlerCase[] = [
  ...handlerCases.filter(isCommonJs),
  {
    name: "a module that asks about itself",
    files: {
      "app.js": SELF,
      "child.js": "module.exports = { parent: module.parent.id, loaded: module.parent.loaded };",
      "lazy.mjs": "export default import.meta.filename;",
    },
    handler: "app.handler",
  },
  {
    name: "a strict module that returns early",
    files: {
      "app.js":
        '"use strict"; exports.handler = async () => arguments.length; if (exports) return; boom();',
    },
    handler: "app.handler",
  },
  {
    name: "a cycle that crosses into an ES module",
    files: {
      "app.js":
        'let seen; try { seen = require("./esm.mjs").seen; } catch (error) { seen = error.code ?? error.message; } exports.handler = async () => seen;',
      "esm.mjs": 'import app from "./app.js"; export const seen = typeof app;',
    },
    handler: "app.handler",
  },
  {
    name: "an error three modules deep",
    files: {
      "app.js": 'require("./a.js");',
      "a.js": 'require("./b.js");',
      "b.js": '\n  null.boom;\nexports.handler = () => "never";',
    },
    handler: "app.handler",
  },
  {
    name: "an error from another module's error that was caught",
    files: {
      "app.js":
        'let stack; try { require("./a.js"); } catch (error) { stack = error.stack; } exports.handler = async () => stack;',
      "a.js": 'throw new TypeError("told");',
    },
    handler: "app.handler",
  },
  {
    name: "a module that the user has replaced",
    files: {
      "app.js":
        'require.cache[require.resolve("./a.js")] = Object.freeze({ exports: "mine", loaded: true }); exports.handler = async () => [require("./a.js"), Object.keys(require.cache)];',
      "a.js": "module.exports = 'never';",
    },
    handler: "app.handler",
  },
  {
    name: "a module that is loaded again",
    files: {
      "app.js":
        'const first = require("./a.js"); delete require.cache[require.resolve("./a.js")]; exports.handler = async () => first === require("./a.js");',
      "a.js": "module.exports = {};",
    },
    handler: "app.handler",
  },
  {
    name: "thrown values that are no errors",
    files: { "app.js": 'throw Object.freeze({ code: "E_FROZEN" });' },
    handler: "app.handler",
  },
  {
    name: "a script for the shell",
    files: { "app.js": "#!/usr/bin/env node\nexports.handler = async () => __filename;" },
    handler: "app.handler",
  },
];

describe.each([4, 3] as const)("under client %s", (client) => {
  test.concurrent.each(cases)("$name ends as if Node had compiled it", async (it) => {
    const taskRoot = taskRootIn(tasks, it.files);
    const { handler } = it;
    const [plain, compiled] = await Promise.all([
      invokeOnce({ client, taskRoot, handler }),
      invokeOnce({ client, taskRoot, handler, preload: script.path }),
    ]);
    expect(comparable(compiled, PRELOAD_LINE)).toEqual(comparable(plain));
    expect(plain.initError ?? plain.answer).toBeDefined();
    if (it.name === "a module that asks about itself") {
      expect(compiled.stdout.match(/compiled in Node's place/g)).toHaveLength(2);
    }
  });
});
