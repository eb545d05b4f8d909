/**
 * Stands in for `require-in-the-middle` and `import-in-the-middle` in the bundled instrumentations:
 * both would patch the module loader a second time and cost half of an instrumentation's loading.
 */
import type { ModulePatch } from "../module-hook.ts";

const hooks: ModulePatch[] = [];

/** The exports after every hook that OpenTelemetry's instrumentation base has set. */
export const applyHooks: ModulePatch = (exports, name, baseDir) =>
  hooks.reduce((patched, hook) => hook(patched, name, baseDir), exports);

/** The class that both packages export; only the catch-all hook of `require` (no list of modules) counts. */
export class Hook {
  constructor(modules: readonly string[] | null, _options: unknown, onRequire: ModulePatch) {
    if (modules === null) hooks.push(onRequire);
  }
}
