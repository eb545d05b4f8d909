/**
 * Puts a wrapped handler into the runtime interface client without its knowing.
 *
 * The client looks the user's module up by itself, with its own rules and its own errors; only the one
 * request it makes for that module is answered with a stand-in that shows the same exports around a
 * wrapped handler. The module is loaded under its own URL, by the loader's own steps, with no hook left.
 */
import { createRequire, Module, type ResolveFnOutput, registerHooks } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { OWN_FILE } from "../own-file.ts";
import { currentFrames, spliceStack } from "../stack-splice.ts";
import { type Handler, withReplacedExport } from "./handler-export.ts";
import { parseHandler } from "./handler-path.ts";

/** Where the stand-in of an ES module finds what it shows. */
const SLOT = "coldspan.handler.v1";
/** File name of the stand-in of a required module, in the require cache only. */
const REQUIRED_STAND_IN = "coldspan:handler";
/** Folder whose files never show in the user's stacks, be they named by path or by URL. */
const OWN_FILES = `${dirname(OWN_FILE)}/`;

export interface Interception {
  /** The handler string the client was started with. */
  readonly handler: string;
  /** Tells the client's own module by its URL. */
  readonly isRuntime: (url: string) => boolean;
  /** Runs once, with the URL of the user's module, before that is loaded. Must not throw. */
  readonly beforeLoad: (url: string) => void;
  /** Wraps the handler. Must not throw. */
  readonly wrap: (handler: Handler) => Handler;
}

/** Both places where a client looks for the handler in a namespace: the export, and inside `default`. */
interface ShownExports {
  readonly named: unknown;
  readonly default: unknown;
}

type Show = (user: Record<string, unknown>) => ShownExports;

/**
 * Waits for the client's request for the user's module. Call before the client runs, once per thread.
 *
 * The clients (3 and 4) ask for their own parts by name or relative path, and for the user's module by
 * absolute path: that is how the request is told. When it never comes, nothing happens.
 */
export function interceptHandler(interception: Interception): void {
  const { isRuntime, beforeLoad } = interception;
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const { parentURL } = context;
      if (parentURL === undefined || !specifier.startsWith("/") || !isRuntime(parentURL)) {
        return nextResolve(specifier, context);
      }
      hooks.deregister();
      const { url } = withoutOwnFrames(isOwnFrame, () => nextResolve(specifier, context));
      beforeLoad(url);
      return context.conditions.includes("import")
        ? importStandIn(url, interception)
        : requireStandIn(url, parentURL, interception);
    },
  });
}

function isOwnFrame(frame: string): boolean {
  return frame.includes(OWN_FILES) || frame.includes("node:internal/modules/customization_");
}

/** Runs `load`; what it throws shows the frames up to the first that is not `skipped`, then the caller's. */
function withoutOwnFrames<T>(isSkipped: (frame: string) => boolean, load: () => T): T {
  try {
    return load();
  } catch (error) {
    const frames = currentFrames();
    spliceStack(error, isOwnFrame, frames.slice(frames.findIndex((frame) => !isSkipped(frame))));
    throw error;
  }
}

/**
 * A module that imports the user's and exports what a client reads of it.
 * As a `data:` URL it needs no hook to be loaded, and being imported statically, the user's module is
 * linked and evaluated as if the client had imported it: an error carries the same stack.
 */
function importStandIn(url: string, { handler, wrap }: Interception): ResolveFnOutput {
  const { exportPath } = parseHandler(handler);
  const [name = "", ...rest] = exportPath;
  const show: Show = (user) => {
    Reflect.deleteProperty(globalThis, Symbol.for(SLOT));
    return {
      named: withReplacedExport(user[name], rest, wrap),
      default: withReplacedExport(user.default, exportPath, wrap),
    };
  };
  Reflect.set(globalThis, Symbol.for(SLOT), show);
  const source = [
    `import * as user from ${JSON.stringify(url)};`,
    `const shown = globalThis[Symbol.for(${JSON.stringify(SLOT)})](user);`,
    `const { named, default: fallback } = shown;`,
    `export { named as ${JSON.stringify(name)} };`,
    name === "default" ? "" : "export { fallback as default };",
  ].join("\n");
  return {
    url: `data:text/javascript,${encodeURIComponent(source)}`,
    format: "module",
    shortCircuit: true,
  };
}

/** Requires the user's module in the client's name and leaves its stand-in in the require cache. */
function requireStandIn(
  url: string,
  parentURL: string,
  { handler, wrap }: Interception,
): ResolveFnOutput {
  const requireAsRuntime = createRequire(parentURL);
  const exports: unknown = withoutOwnFrames(
    (frame) => !frame.includes(parentURL),
    () => requireAsRuntime(fileURLToPath(url)),
  );
  const standIn = new Module(REQUIRED_STAND_IN);
  standIn.exports = withReplacedExport(exports, parseHandler(handler).exportPath, wrap);
  standIn.loaded = true;
  requireAsRuntime.cache[REQUIRED_STAND_IN] = standIn;
  return { url: REQUIRED_STAND_IN, format: "commonjs", shortCircuit: true };
}
