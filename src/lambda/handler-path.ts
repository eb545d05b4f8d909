/** The handler string (`_HANDLER`), read as the runtime interface client reads it. */
import { basename } from "node:path";

/** Everything before the first dot is the module, everything after it the path of exports. */
const MODULE_AND_EXPORT: RegExp = /^([^.]*)\.(.*)$/;

/** `a/b/app.orders.handler` → `{ moduleRoot: "a/b", moduleName: "app", exportPath: ["orders", "handler"] }`. */
export interface HandlerPath {
  /** Directory part, relative to the task root or absolute; empty when there is none. */
  readonly moduleRoot: string;
  readonly moduleName: string;
  readonly exportPath: readonly string[];
}

/** An error with the name the runtime would report as `errorType`. */
export function runtimeError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name: `Runtime.${name}` });
}

/**
 * Splits a handler string into directory, module and export path.
 *
 * @throws `Runtime.MalformedHandlerName` when it holds `..` or has no dot.
 */
export function parseHandler(handler: string): HandlerPath {
  if (handler.includes("..")) {
    throw runtimeError(
      "MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const file = basename(handler);
  const [, moduleName, exports] = MODULE_AND_EXPORT.exec(file) ?? [];
  if (moduleName === undefined || exports === undefined) {
    throw runtimeError("MalformedHandlerName", "Bad handler");
  }
  return {
    moduleRoot: handler.slice(0, handler.indexOf(file)).replace(/\/$/, ""),
    moduleName,
    exportPath: exports.split("."),
  };
}
