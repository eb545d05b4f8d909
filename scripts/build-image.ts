/** Builds `dist/image/`, the root of `coldspan/files`, and `dist/image-prime.mjs`, which the image's build runs. */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { STAMP_LENGTH } from "../src/image/file-stamp.ts";
import {
  builtinsWithoutImport,
  commonJs,
  instrumentations,
  LAZY_PARTS,
  lazyPartsStayOutside,
  scalarsWithoutSets,
  tool,
  version,
} from "./build.ts";
import { noticesOf } from "./notices.ts";

const ROOT = "dist/image";
const HOME = join(ROOT, "opt/coldspan");
const { version: API_VERSION } = JSON.parse(
  readFileSync("node_modules/@opentelemetry/api/package.json", "utf8"),
) as { version: string };

const shared: BuildOptions = {
  ...commonJs,
  external: [],
  outExtension: { ".js": ".cjs" },
  outdir: HOME,
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
};

/** The tools run on their own, so they need not be CommonJS. */
const programs: BuildOptions = { ...tool, outExtension: { ".js": ".mjs" }, outdir: HOME };

/** Every file that goes into the image. */
export async function buildImageFiles(): Promise<void> {
  rmSync(ROOT, { recursive: true, force: true });
  const results = await Promise.all([
    build({
      ...shared,
      entryPoints: { coldspan: "src/image/bundle.ts" },
      // A script of its own cannot `import()` without Node's saying that this is experimental.
      supported: { "dynamic-import": false },
      plugins: [lazyPartsStayOutside(".cjs"), builtinsWithoutImport, scalarsWithoutSets],
    }),
    build({
      ...shared,
      entryPoints: { preload: "src/image/preload.ts" },
      plugins: [builtinsWithoutImport],
    }),
    build({ ...shared, ...instrumentations, outdir: HOME }),
    ...LAZY_PARTS.map((name) =>
      build({ ...shared, entryPoints: { [name]: `src/export/${name}.ts` } }),
    ),
    build(programs),
  ]);
  await build({ ...programs, entryPoints: { "image-prime": "docker/prime.ts" }, outdir: "dist" });
  for (const name of readdirSync(HOME)) if (name.endsWith(".cjs")) stamp(join(HOME, name));
  const bundle = createRequire(import.meta.url)(resolve(HOME, "coldspan.cjs")) as Bundle;
  writePackage("coldspan", version, Object.keys(bundle.coldspan), "coldspan");
  writePackage("@opentelemetry/api", API_VERSION, Object.keys(bundle.api), "api");
  writeFileSync(join(HOME, "node_modules/coldspan/init.cjs"), 'require("./index.cjs").init();\n');
  cpSync("docker/coldspan-wrapper", join(HOME, "coldspan-wrapper"));
  mkdirSync(join(HOME, "bin"));
  cpSync("docker/coldspan", join(HOME, "bin/coldspan"));
  // Where Node's lookup of packages ends, wherever it began: an installed copy is found before.
  symlinkSync("opt/coldspan/node_modules", join(ROOT, "node_modules"));
  cpSync("LICENSE", join(HOME, "LICENSE"));
  writeFileSync(join(HOME, "NOTICES"), noticesOf(results.map(({ metafile }) => metafile)));
  setModes(HOME);
}

/** Adds the last line by which compiled code is told to be of this very text (`src/image/file-stamp.ts`). */
function stamp(path: string): void {
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
  appendFileSync(path, `\n//${digest.slice(0, STAMP_LENGTH)}\n`);
}

interface Bundle {
  readonly api: object;
  readonly coldspan: object;
}

/** A package that is a face of the bundle, with the names that Node needs to see for `import`. */
function writePackage(
  name: string,
  packageVersion: string,
  names: readonly string[],
  part: keyof Bundle,
): void {
  const folder = join(HOME, "node_modules", name);
  const exports = {
    ".": "./index.cjs",
    ...(part === "coldspan" ? { "./init": "./init.cjs" } : {}),
    "./package.json": "./package.json",
  };
  const manifest = { name, version: packageVersion, exports };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const source = [
    `const { ${part} } = require(${JSON.stringify(`${relative(folder, HOME)}/coldspan.cjs`)});`,
    `module.exports = ${part};`,
    `0 && (module.exports = { ${names.filter((name) => name !== "default").join(", ")} });`,
  ];
  writeFileSync(join(folder, "index.cjs"), `${source.join("\n")}\n`);
}

/** Readable by everybody, written by nobody; programs can be run. */
function setModes(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) setModes(path);
    else chmodSync(path, readFileSync(path, "utf8").startsWith("#!") ? 0o755 : 0o644);
  }
}

if (import.meta.main) await buildImageFiles();
