/** The phases of a cold start, named by where the code of a frame was written. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CallFrame, FindPhase } from "./cpu-profile.ts";

export const WAITING = "waiting";
export const BUILT_INS = "load built-ins";

/** V8's own frames. */
const NATIVE: Readonly<Record<string, string>> = {
  "(idle)": WAITING,
  "(program)": "native code",
  "(garbage collector)": "garbage collection",
};

/** By source file in coldspan's bundles; the first that fits. */
const SOURCES: readonly (readonly [RegExp, string])[] = [
  [
    /^src\/(?:config|environment|exporter-config|sdk-config|options|proxy|variables)\b/,
    "configuration",
  ],
  [/^src\/sdk\/(?:provider|resource|samplers|id-generator|propagators|xray)/, "provider"],
  [/^src\/sdk\/(?:instrumentation|module-hook)/, "instrumentations"],
  [/^src\/sdk\//, "flush engine"],
  [/^src\/export\/(?:.*encoding|protobuf|span-size)/, "encode"],
  [/otlp-transformer/, "encode"],
  [/^src\/export\//, "transport"],
  [/^src\/lambda\//, "extension"],
  [/^src\/trace\//, "spans of the invocation"],
  [/^src\//, "start"],
  [/^node_modules\//, "OpenTelemetry SDK"],
];

/** esbuild writes the path of each source above its code; as line → path, in order. */
type SourceMap = readonly (readonly [line: number, path: string])[];

/** For one build: reads its bundles when they first occur in a profile. */
export function createPhaseFinder(): FindPhase {
  const maps = new Map<string, SourceMap>();
  const sourceOf = ({ url, lineNumber }: CallFrame): string | undefined => {
    const map = maps.get(url) ?? readSourceMap(url);
    maps.set(url, map);
    return map.findLast(([line]) => line <= lineNumber)?.[1];
  };
  return (frame, outer) => {
    const { functionName, url } = frame;
    if (url === "") return NATIVE[functionName];
    if (url.startsWith("node:")) return findNodePhase(frame, outer);
    if (url.includes("/aws-lambda-ric/") || url.includes("/ric-")) return "runtime client";
    const isEvaluation = functionName === "" && frame.lineNumber === 0;
    if (url.includes("/@opentelemetry/api/")) {
      return isEvaluation ? "evaluate @opentelemetry/api" : undefined;
    }
    if (!url.includes("/coldspan/dist/")) return isEvaluation ? "evaluate the function" : undefined;
    if (isEvaluation) return "evaluate coldspan";
    const source = sourceOf(frame);
    return SOURCES.find(([path]) => path.test(source ?? ""))?.[1];
  };
}

function findNodePhase(
  { functionName, url, lineNumber }: CallFrame,
  outer: string,
): string | undefined {
  if (outer.startsWith("load ") && outer !== BUILT_INS) return undefined;
  if (functionName === "compileForInternalLoader") return BUILT_INS;
  if (outer === BUILT_INS && functionName === "" && lineNumber === 0) return `load ${url}`;
  if (functionName === "compileSourceTextModule" || functionName === "wrapSafe") {
    return "compile modules";
  }
  if (url.startsWith("node:internal/modules/")) return "find and read modules";
  return outer === "" ? "Node.js" : undefined;
}

function readSourceMap(url: string): SourceMap {
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line, index) => {
      const [, source] = /^\s*\/\/ ((?:src|node_modules)\/\S+)$/.exec(line) ?? [];
      return source === undefined ? [] : [[index, source] as const];
    });
}
