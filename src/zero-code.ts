/** Tracing without code: the handler that Lambda's runtime loads in this thread is wrapped on its way. */
import { diag } from "@opentelemetry/api";
import { init, withTracing } from "./index.ts";
import { interceptHandler } from "./lambda/handler-hook.ts";
import type { RuntimeProcess } from "./lambda/runtime-process.ts";
import { acceptNewerApi } from "./sdk/api-version.ts";

/**
 * Starts the SDK when the user's module is about to be loaded, and wraps its handler.
 *
 * @param handlerLoaded Called once the module is loaded; answers lines for the debug log.
 */
export function traceRuntime(
  { handler, isRuntime }: RuntimeProcess,
  handlerLoaded: () => readonly string[] = () => [],
): void {
  interceptHandler({
    handler,
    isRuntime,
    beforeLoad(url) {
      init();
      acceptNewerApi(url);
    },
    wrap(userHandler) {
      for (const line of handlerLoaded()) diag.debug(line);
      return withTracing(userHandler);
    },
  });
}
