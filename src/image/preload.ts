/**
 * First in every Node process of the image (`--require`). Only in the thread where Lambda's runtime
 * loads the handler it does anything; child processes are started without it again.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { thisProcess } from "../config.ts";
import {
  type RuntimeProcess,
  runtimeProcess,
  startsWorkers,
  withoutOptions,
} from "../lambda/runtime-process.ts";
import { relaySigterm } from "../lambda/sigterm-relay.ts";
import type { traceRuntime } from "../zero-code.ts";
import { fillCompileCache, useCompileCache } from "./compile-cache.ts";

const OWN_FILE = import.meta.filename;
const OPTION = `--require=${OWN_FILE}`;
/** What is required runs before a worker thread knows its file; what is imported runs after. */
const OPTION_FOR_WORKERS = `--import=${OWN_FILE}`;
const COMPILE_CACHE = join(dirname(OWN_FILE), "compile-cache");

function start(runtime: RuntimeProcess, env: NodeJS.ProcessEnv): void {
  const others = withoutOptions(env.NODE_OPTIONS ?? "", [OPTION, OPTION_FOR_WORKERS]);
  if (others === "") delete env.NODE_OPTIONS;
  else env.NODE_OPTIONS = others;
  // Before the bundle is compiled: it is the first to come out of the cache.
  const { COLDSPAN_WARM_UP: warmUp } = env;
  const isPriming = warmUp === "prime";
  const handlerLoaded =
    isPriming || warmUp === "load"
      ? fillCompileCache(COMPILE_CACHE, isPriming)
      : useCompileCache(COMPILE_CACHE);
  const require = createRequire(OWN_FILE);
  const bundle = require("./coldspan.cjs") as { readonly traceRuntime: typeof traceRuntime };
  bundle.traceRuntime(runtime, handlerLoaded);
}

function startInWorkers(env: NodeJS.ProcessEnv): void {
  env.NODE_OPTIONS = [withoutOptions(env.NODE_OPTIONS ?? "", [OPTION]), OPTION_FOR_WORKERS]
    .join(" ")
    .trimStart();
  relaySigterm();
}

const facts = thisProcess();
if (facts.env.OTEL_SDK_DISABLED?.trim().toLowerCase() !== "true") {
  const runtime = runtimeProcess(facts);
  if (runtime !== undefined) start(runtime, facts.env);
  else if (startsWorkers(facts)) startInWorkers(facts.env);
}
