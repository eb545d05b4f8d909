/** Instrumentations of libraries, each loaded only when its library is. */
import { createRequire } from "node:module";
import type { TracerProvider } from "@opentelemetry/api";
import { OWN_FILE } from "../own-file.ts";
import { type ModulePatch, watchModules } from "./module-hook.ts";

interface Instrumentation {
  /** A file beside the bundle: CommonJS, because it is needed in the middle of a `require`. */
  readonly file: string;
  /** The packages of which it patches something. */
  readonly packages: readonly string[];
}

const INSTRUMENTATIONS: readonly Instrumentation[] = [
  {
    file: "./instrumentation-aws-sdk.cjs",
    packages: [
      "@smithy/core",
      "@smithy/smithy-client",
      "@smithy/middleware-stack",
      "@aws-sdk/smithy-client",
      "@aws-sdk/middleware-stack",
    ],
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
  for (const { file, packages } of INSTRUMENTATIONS) {
    let patch: ModulePatch | undefined;
    watchModules(new Set(packages), (...loaded) => {
      patch ??= (require(file) as InstrumentationFile).instrument(provider);
      return patch(...loaded);
    });
  }
}
