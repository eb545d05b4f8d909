/** `coldspan warm` in a user's Dockerfile: the function's own code comes compiled. */
import { afterAll, describe, expect, inject, test } from "vitest";
import { connectEngine } from "./engine.ts";
import { functionImages } from "./function-image.ts";
import { runImageFunction } from "./image-function.ts";

const engine = connectEngine(inject("dockerHost"));
const built = functionImages(engine);
afterAll(() => built.remove());

/** As a bundler leaves it: most of one large file runs while it is loaded. */
const bundle = [
  ...Array.from({ length: 900 }, (_, index) => {
    const body = `const next = { value, index: ${index} }; return next.value + (next.index >= 0 ? 1 : 0);`;
    return `function part${index}(value) { ${body} }`;
  }),
  "let sum = 0;",
  ...Array.from({ length: 900 }, (_, index) => `sum = part${index}(sum);`),
  "exports.handler = async () => sum;",
].join("\n");
const files = {
  "bundle.js": bundle,
  "app.js": `const { writeFileSync } = require("node:fs");
const dependency = require("./dependency.js");
let calls = 0;
exports.handler = async () => ({ calls: ++calls, dependency });`,
  "dependency.js": "module.exports = 'loaded';",
  "calls.js": `exports.handler = async () => { require("node:fs").writeFileSync("/var/task/called", ""); };`,
  "needy.js": `if (!process.env.TABLE) throw new Error("TABLE is not set");
exports.handler = async () => "ran";`,
};
/** Node says of each module whether its compiled code was used; coldspan of each bundle. */
const DEBUG = { NODE_DEBUG_NATIVE: "COMPILE_CACHE", OTEL_LOG_LEVEL: "debug" };

describe.each(inject("images"))("Node $major", ({ coldspan }) => {
  const build = (handler: string, dockerfile: readonly string[]) =>
    built.build({ base: coldspan, files, handler, dockerfile });

  test("another user reads it on a read-only root, with any memory size", async () => {
    const image = await build("app.handler", ["RUN coldspan warm app.handler"]);
    const { api, container } = await runImageFunction(engine, { image, env: DEBUG });
    expect(JSON.parse((await api.invoke({})).body.toString())).toEqual({
      calls: 1,
      dependency: "loaded",
    });
    const log = (await container.logs()).stderr;
    expect(log).toContain("compiled code of /opt/coldspan/coldspan.cjs was used");
    for (const file of ["/var/task/app.js", "/var/task/dependency.js"]) {
      expect(log).toContain(`${file} was accepted`);
    }
  });

  test("all that ran of a bundle is there, and coldspan's own code as the image has it", async () => {
    const image = await build("bundle.handler", [
      "RUN ls -l /opt/coldspan/compile-cache/code-*/*coldspan.cjs > before",
      "RUN coldspan warm bundle.handler",
      "RUN ls -l /opt/coldspan/compile-cache/code-*/*coldspan.cjs | cmp - before && rm before",
      "RUN coldspan doctor | grep 'all code of 2 bundles'",
    ]);
    const { api, container } = await runImageFunction(engine, { image, env: DEBUG });
    expect((await api.invoke({})).body.toString()).toBe("900");
    const { stderr } = await container.logs();
    expect(stderr).toContain("compiled code of /var/task/bundle.js was used");
    expect(stderr).not.toContain("Warning");
  });

  test("the handler is not called", async () => {
    await build("calls.handler", ["RUN coldspan warm calls.handler", "RUN test ! -e called"]);
  });

  test("a module that cannot be loaded is a warning, and the image works", async () => {
    const image = await build("needy.handler", [
      "RUN coldspan warm needy.handler 2> warnings; grep 'TABLE is not set' warnings",
    ]);
    const { api } = await runImageFunction(engine, { image, env: { TABLE: "orders" } });
    expect((await api.invoke({})).body.toString()).toBe('"ran"');
  });
});
