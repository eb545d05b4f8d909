/** Compiles every CommonJS file of the function as the image does with those in its code cache. */
import { readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { scriptOf } from "../../src/image/code-cache.ts";
import { compileFile } from "../../src/image/compile-hook.ts";

const taskRoot = realpathSync(process.env.LAMBDA_TASK_ROOT ?? "");
for (const name of readdirSync(taskRoot, { recursive: true, encoding: "utf8" })) {
  compileFile(join(taskRoot, name), (content, filename) => {
    try {
      const code = scriptOf(content, filename).createCachedData();
      const script = scriptOf(content, filename, code);
      console.log("compiled in Node's place");
      return script;
    } catch {
      return undefined;
    }
  });
}
