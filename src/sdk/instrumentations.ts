/** Instrumentations of libraries, each loaded only when its library is. */
import { createRequire } from "node:module";
import type { TracerProvider } from "@opentelemetry/api";
import { OWN_FILE } from "../own-file.ts";
import { MAIN_FILE, type ModulePatch, type PatchedFiles, watchModules } from "./module-hook.ts";

interface Instrumentation {
  /** A file beside the bundle: CommonJS, because it is needed in the middle of a `require`. */
  readonly file: string;
  readonly patches: PatchedFiles;
}

export const INSTRUMENTATIONS: readonly Instrumentation[] = [
  {
    file: "./instrumentation-aws-sdk.cjs",
    patches: new Map([
      ["@smithy/core", ["/dist-cjs/submodules/client/index.js"]],
      ["@smithy/smithy-client", [MAIN_FILE]],
      ["@smithy/middleware-stack", [MAIN_FILE]],
      ["@aws-sdk/smithy-client", [MAIN_FILE]],
      [
        "@aws-sdk/middleware-stack",
        ["/dist/cjs/MiddlewareStack.js", "/dist-cjs/MiddlewareStack.js"],
      ],
    ]),
  },
];

/** What a file of an instrumentation exports. */
export interface InstrumentationFile {
  instrument(provider: TracerProvider): ModulePatch;
}

/**
 * Instruments libraries that are loaded from now on. A function without them pays nothing but this
 * call; a library inside a bundle cannot be seen.
 */
export function watchLibraries(provider: TracerProvider): void {
  const require = createRequire(OWN_FILE);
  for (const { file, patches } of INSTRUMENTATIONS) {
    let patch: ModulePatch | undefined;
    watchModules(patches, (...loaded) => {
      patch ??= (require(file) as InstrumentationFile).instrument(provider);
      return patch(...loaded);
    });
  }
}
