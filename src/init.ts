/**
 * The cold-start door: importing it starts tracing, as `node --import coldspan/init` or first in
 * the handler's module.
 * @module
 */
import { init } from "./index.ts";

init();
