/**
 * The door without code: `NODE_OPTIONS="--import coldspan/auto"` traces the handler that Lambda's
 * runtime loads. In every other process and thread it does nothing.
 * @module
 */
import { thisProcess } from "./config.ts";
import { runtimeProcess } from "./lambda/runtime-process.ts";
import { traceRuntime } from "./zero-code.ts";

const runtime = runtimeProcess(thisProcess());
if (runtime !== undefined) traceRuntime(runtime);
