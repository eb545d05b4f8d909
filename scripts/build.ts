/** Builds `dist/`: the library in one file and its doors, as ES modules and CommonJS, and the declarations of both. */
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { noticesOf } from "./notices.ts";

const pkg = JSON.parse(readFileSync("package.json", "utf8")) as {
  version: string;
  dependencies: Record<string, string>;
};

/**
 * The tracing SDK is bundled: as separate packages its 139 modules take ~118 ms of cold start,
 * as one tree-shaken file ~8 ms. What is loaded only on demand stays an ordinary dependency.
 */
const BUNDLED = new Set(["@opentelemetry/sdk-trace"]);
/**
 * Not the API, though it is 50 files: a tracer that one of the user's modules took before tracing began
 * learns of it from its own copy of the API only. In the image that copy comes from the bundle.
 */
const external = [
  ...Object.keys(pkg.dependencies).filter((name) => !BUNDLED.has(name)),
  "@opentelemetry/api",
];

/** The package's version. */
export const { version } = pkg;

/** What the bundler writes in. */
export const define: Record<string, string> = {
  __COLDSPAN_VERSION__: JSON.stringify(version),
};

const shared: BuildOptions = {
  bundle: true,
  platform: "node",
  target: "node22.15",
  external,
  // The SDK packages' ES builds tree-shake; their CommonJS builds do not.
  conditions: ["import", "module"],
  mainFields: ["module", "main"],
  define,
  inject: ["src/monotonic-clock.ts"],
  legalComments: "none",
  logLevel: "warning",
};

/**
 * Takes Node's builtins without `import` or `require`: both evaluate every lazy export of a builtin, even
 * of one that the runtime client has loaded already. `node:http` alone then loads undici for its
 * `WebSocket`: 35–60 ms of cold start, and `node:fs` 2–4 ms.
 */
export const builtinsWithoutImport: Plugin = {
  name: "builtins-without-import",
  setup(bundler) {
    const namespace = "builtin";
    bundler.onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return null;
      if (kind !== "dynamic-import") return { path, namespace, sideEffects: false };
      // What stands for the builtin is CommonJS: such an import would have no name but `default`.
      const text = `import("${path}") has no names in the bundle; use process.getBuiltinModule`;
      return { errors: [{ text }] };
    });
    // Inherited, because the bundler looks at each own property: at `TextDecoder` of `node:util`, which
    // is made on first sight, for 10 ms. A default import would be this object, so there may be none.
    bundler.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: `module.exports = Object.create(process.getBuiltinModule(${JSON.stringify(path)}))`,
    }));
  },
};

const SET_PER_VALUE = "isAnyValueInternal(val, /* @__PURE__ */ new WeakSet())";
const SET_PER_OBJECT =
  'isAnyValueInternal(val, typeof val === "object" ? new WeakSet() : undefined)';

/**
 * The SDK checks each attribute twice for what no attribute may be, each time with a `WeakSet` against
 * cycles, in which it never looks unless the value is an object. A set per object answers the same for
 * a sixth less CPU per record span of eight attributes (27 → 22 µs, most of it garbage collection).
 */
export const scalarsWithoutSets: Plugin = {
  name: "scalars-without-sets",
  setup({ onLoad }) {
    onLoad({ filter: /core[\\/]dist[\\/]common[\\/]attributes\.mjs$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      if (source.includes(SET_PER_VALUE)) {
        return { contents: source.replace(SET_PER_VALUE, SET_PER_OBJECT) };
      }
      return { errors: [{ text: `${path} reads otherwise now: is scalars-without-sets needed?` }] };
    });
  },
};

/** Parts that few functions ever load and that are large, or load packages: each in a file of its own. */
export const LAZY_PARTS = ["grpc-js", "sigv4"] as const;

/** Leaves the lazy parts in files of this suffix beside the bundle. */
export function lazyPartsStayOutside(suffix: string): Plugin {
  return {
    name: "lazy-parts-stay-outside",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\// }, ({ path, kind }) => {
        const name = path.slice(2).replace(/\.ts$/, "");
        if (kind !== "dynamic-import" || !LAZY_PARTS.some((part) => part === name)) return null;
        return { path: `./${name}${suffix}`, external: true };
      });
    },
  };
}

const libraryStaysOutside: Plugin = {
  name: "library-stays-outside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/index\.ts$/ }, () => ({ path: "./index.js", external: true }));
  },
};

/** For every CommonJS bundle. */
export const commonJs: BuildOptions = {
  ...shared,
  format: "cjs",
  define: { ...define, "import.meta.filename": "__filename" },
};

const hooks = "./src/sdk/instrumentations/module-hooks.ts";

/**
 * Loaded on demand by a synchronous `require`, so CommonJS for both doors. With a copy of the API:
 * beside the ES module's door a second one would be loaded anyway, and as a package it is slower.
 */
export const instrumentations: BuildOptions = {
  ...shared,
  entryPoints: { "instrumentation-aws-sdk": "src/sdk/instrumentations/aws-sdk.ts" },
  external: [],
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  alias: { "require-in-the-middle": hooks, "import-in-the-middle": hooks },
};

/** The tool, in one file with all that it needs. */
export const tool: BuildOptions = {
  ...shared,
  entryPoints: { cli: "src/cli.ts" },
  external: [],
  format: "esm",
  // protobufjs wants the CommonJS build of `long`.
  conditions: [],
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
};

/** Everything the package ships. */
export async function buildPackage(): Promise<void> {
  await bundlePackage();
  emitDeclarations();
}

/** The JavaScript only: what tests and demo run. */
export async function bundlePackage(): Promise<void> {
  rmSync("dist", { recursive: true, force: true });
  const [{ metafile }] = await Promise.all([
    build({ ...tool, outdir: "dist" }),
    bundleDoors({ ...shared, format: "esm", outdir: "dist/esm" }),
    bundleDoors({ ...commonJs, outdir: "dist/cjs" }),
  ]);
  writeFileSync("dist/cjs/package.json", '{ "type": "commonjs" }\n');
  writeFileSync("dist/NOTICES", noticesOf([metafile]));
}

/**
 * The library is one file, and the other doors ask it. Not split: the chunks of an ES module load one
 * after the other without being waited for, in the first invocation rather than in init.
 */
async function bundleDoors(format: BuildOptions & { readonly outdir: string }): Promise<void> {
  const library = [lazyPartsStayOutside(".js"), builtinsWithoutImport, scalarsWithoutSets];
  const doors = [libraryStaysOutside, builtinsWithoutImport];
  const lazyParts = LAZY_PARTS.map((name) => `src/export/${name}.ts`);
  const { outdir } = format;
  await Promise.all([
    build({ ...format, entryPoints: ["src/index.ts"], plugins: library }),
    build({ ...format, entryPoints: ["src/init.ts", "src/auto.ts"], plugins: doors }),
    build({ ...format, entryPoints: lazyParts, plugins: [builtinsWithoutImport] }),
    build({ ...instrumentations, outdir }),
  ]);
}

function emitDeclarations(): void {
  const tsc = spawnSync("tsc --emitDeclarationOnly", { stdio: "inherit", shell: true });
  if (tsc.status !== 0) throw new Error("tsc could not emit the declarations");
  cpSync("dist/esm", "dist/cjs", {
    recursive: true,
    filter: (path) => !path.endsWith(".js"),
  });
}

if (import.meta.main) await buildPackage();
