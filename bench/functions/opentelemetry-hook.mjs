/**
 * Preloaded after the instrumentations where the runtime imports handlers. Of the ways to hook into
 * ES modules that `import-in-the-middle` offers this is the fastest: half the time of a hook thread.
 */
import { register } from "import-in-the-middle/register-hooks.mjs";

register();
