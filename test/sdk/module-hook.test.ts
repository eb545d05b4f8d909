import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { MAIN_FILE, watchModules } from "../../src/sdk/module-hook.ts";

/** A package of these files, and the `require` of a program beside it. */
function createPackage(name: string, files: Readonly<Record<string, string>>): NodeJS.Require {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "coldspan-watched-")));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const directory = join(root, "node_modules", name);
  mkdirSync(directory, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
  return createRequire(join(root, "app.js"));
}

test("only the files that are watched are patched, each once", () => {
  const load = createPackage("watched-once", {
    "index.js": "exports.main = true; exports.other = require('watched-once/other.js');",
    "other.js": "exports.other = true;",
    "client.js": "exports.client = true;",
  });
  const patched: string[] = [];
  watchModules(new Map([["watched-once", [MAIN_FILE, "/client.js"]]]), (exports, name) => {
    patched.push(name);
    return { ...(exports as object), patched: true };
  });
  for (let turn = 0; turn < 2; turn++) {
    expect(load("watched-once")).toMatchObject({ main: true, patched: true });
    expect(load("watched-once/client.js")).toEqual({ client: true, patched: true });
    expect(load("watched-once/other.js")).toEqual({ other: true });
  }
  expect(patched).toEqual(["watched-once", "watched-once/client.js"]);
});

test("a watched file is patched though another has shown its exports before", () => {
  const load = createPackage("watched-alias", {
    "alias.js": "module.exports = require('./client.js');",
    "client.js": "exports.client = true;",
  });
  const patched: string[] = [];
  watchModules(new Map([["watched-alias", ["/client.js"]]]), (exports, name) => {
    patched.push(name);
    return exports;
  });
  load("watched-alias/alias.js");
  load("watched-alias/client.js");
  expect(patched).toEqual(["watched-alias/client.js"]);
});
