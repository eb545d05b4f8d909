/**
 * Loads a handler outside Lambda as the runtime interface client would inside, errors included:
 * for `warm` and the local runner. Traced functions are loaded by the client itself.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { findExport, type Handler } from "./handler-export.ts";
import { type HandlerPath, parseHandler, runtimeError } from "./handler-path.ts";

/**
 * How modules are loaded: client 4 (Node 24's runtime) imports whatever it finds;
 * client 3 (Node 22's) requires CommonJS and imports ES modules.
 */
export type LoadStyle = "import" | "require";

export interface UserModule {
  readonly exports: unknown;
  readonly handler: Handler;
}

export interface UserModuleRequest {
  /** `LAMBDA_TASK_ROOT`, absolute. */
  readonly taskRoot: string;
  /** `_HANDLER`. */
  readonly handler: string;
  readonly style: LoadStyle;
  /** File in whose name CommonJS modules are required; it shows in "Require stack". */
  readonly runtimeFile: string;
}

/**
 * Finds, loads and checks a handler.
 *
 * @throws What the module threw while it was loaded, or an error named as the runtime names it:
 * `Runtime.MalformedHandlerName`, `Runtime.ImportModuleError`, `Runtime.UserCodeSyntaxError`,
 * `Runtime.HandlerNotFound`.
 */
export async function loadUserModule(request: UserModuleRequest): Promise<UserModule> {
  const { handler, style } = request;
  const path = parseHandler(handler);
  const exports = await loadExports(request, path);
  const found = findHandler(exports, path.exportPath, style);
  if (!found) throw runtimeError("HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") {
    throw runtimeError("HandlerNotFound", `${handler} is not a function`);
  }
  return { exports, handler: found as Handler };
}

/** Client 4 also looks into `default`; client 3 does not. */
function findHandler(exports: unknown, path: readonly string[], style: LoadStyle): unknown {
  if (style === "require") return findExport(exports, path, true);
  return findExport(exports, path, false) || findExport(exports, ["default", ...path], false);
}

async function loadExports(request: UserModuleRequest, path: HandlerPath): Promise<unknown> {
  try {
    return await (request.style === "import"
      ? importInOrder(request, path)
      : requireInOrder(request, path));
  } catch (error) {
    if (error instanceof SyntaxError) {
      const { stack } = error;
      throw Object.assign(runtimeError("UserCodeSyntaxError", String(error)), { stack });
    }
    if (isModuleNotFound(error)) throw runtimeError("ImportModuleError", String(error));
    throw error;
  }
}

function isModuleNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND";
}

async function importInOrder(request: UserModuleRequest, path: HandlerPath): Promise<unknown> {
  const file = fileOf(request, path);
  for (const suffix of ["", ".js", ".mjs", ".cjs"]) {
    if (existsSync(file + suffix)) return import(file + suffix);
  }
  return requireByName(request, path);
}

async function requireInOrder(request: UserModuleRequest, path: HandlerPath): Promise<unknown> {
  const file = fileOf(request, path);
  const require = createRequire(request.runtimeFile);
  const isModule = existsSync(`${file}.js`) && isModulePackage(dirname(file));
  if (existsSync(file)) return require(file);
  if (existsSync(`${file}.js`)) return isModule ? import(`${file}.js`) : require(`${file}.js`);
  if (existsSync(`${file}.mjs`)) return import(`${file}.mjs`);
  if (existsSync(`${file}.cjs`)) return require(`${file}.cjs`);
  return requireByName(request, path);
}

/** The last resort: Node's own lookup from the task root and from the handler's directory. */
function requireByName(request: UserModuleRequest, path: HandlerPath): unknown {
  const { taskRoot, style, runtimeFile } = request;
  const require = createRequire(runtimeFile);
  const directory = style === "import" ? join(taskRoot, path.moduleRoot) : path.moduleRoot;
  return require(require.resolve(path.moduleName, { paths: [taskRoot, directory] }));
}

function fileOf({ taskRoot }: UserModuleRequest, { moduleRoot, moduleName }: HandlerPath): string {
  return resolve(taskRoot, moduleRoot, moduleName);
}

/** Client 3's rule: the nearest package.json decides, up to a `node_modules` folder or the root. */
function isModulePackage(folder: string): boolean {
  if (folder.endsWith("/node_modules")) return false;
  const manifest = join(folder, "package.json");
  if (existsSync(manifest)) return typeOfPackage(manifest) === "module";
  return folder !== "/" && isModulePackage(dirname(folder));
}

/** An unreadable manifest counts as CommonJS, as it does for the client. */
function typeOfPackage(manifest: string): unknown {
  try {
    const parsed: unknown = JSON.parse(readFileSync(manifest, "utf8"));
    return findExport(parsed, ["type"], false);
  } catch {
    return undefined;
  }
}
