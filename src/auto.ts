/**
 * The door without code: `NODE_OPTIONS="--import coldspan/auto"` traces the handler that Lambda's
 * runtime loads. In every other process and thread it does nothing.
 * @module
 */
import { thisProcess } from "./config.ts";
import { runtimeProcess, startsWorkers } from "./lambda/runtime-process.ts";
import { relaySigterm } from "./lambda/sigterm-relay.ts";
import { traceRuntime } from "./zero-code.ts";

const facts = thisProcess();
const runtime = runtimeProcess(facts);
if (runtime !== undefined) traceRuntime(runtime);
else if (startsWorkers(facts)) relaySigterm();
