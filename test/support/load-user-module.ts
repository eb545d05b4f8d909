/** Loads one handler and prints what came of it; arguments: task root, handler, style, runtime file. */
import { type LoadStyle, loadUserModule } from "../../src/lambda/user-module.ts";

const [, , taskRoot = "", handler = "", style = "import", runtimeFile = ""] = process.argv;

try {
  const loaded = await loadUserModule({
    taskRoot,
    handler,
    style: style as LoadStyle,
    runtimeFile,
  });
  console.log(JSON.stringify({ result: await (loaded.handler as () => unknown)() }));
} catch (error) {
  const [errorType, errorMessage] =
    error instanceof Error ? [error.name, error.message] : [typeof error, String(error)];
  console.log(JSON.stringify({ errorType, errorMessage }));
}
