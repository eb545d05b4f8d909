/** Makes function directories as images have them: one `app.js` beside `node_modules`. */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { installLocked } from "../../runtimes/cache.ts";
import { bundlePackage } from "../../scripts/build.ts";
import { layOutImage } from "./image.ts";
import type { Setup } from "./setup.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FUNCTIONS = fileURLToPath(new URL("../functions/", import.meta.url));
const PEERS = new URL("../peers/", import.meta.url);

/** Loaded as it is: hook and instrumentations meet in the installed package. */
const ESM_HOOK = "opentelemetry-hook.mjs";

/** What bundles of CommonJS packages as ES modules need (AWS CDK's documentation of NodejsFunction). */
const REQUIRE_IN_ESM =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** What the function does: a module of `functions/` without its suffix. */
export type App = "echo" | "orders" | "warm" | "memory" | "profile";

/** `packages`: everything is loaded from `node_modules`; `bundle`: all in one file, by esbuild. */
export type Layout = "packages" | "bundle";

export interface Deployment {
  readonly taskRoot: string;
  readonly handler: string;
  /** Files of the task root to load before the runtime: `.cjs`, and `.mjs` where handlers are imported. */
  readonly preloads: readonly string[];
  /** Where the image has coldspan; absent: the image has none. */
  readonly imageHome?: string;
}

export interface Workshop {
  deploy(setup: Setup, app: App, layout: Layout): Promise<Deployment>;
  close(): Promise<void>;
}

/** Builds coldspan as it is now; what is deployed later stays so, whatever happens to `dist/`. */
export async function openWorkshop(): Promise<Workshop> {
  await bundlePackage();
  await mkdir(join(ROOT, ".cache"), { recursive: true });
  const root = await mkdtemp(join(ROOT, ".cache/bench-"));
  const coldspan = await installColdspan(root);
  // A function finds one directory up what its own node_modules lacks.
  const appModules = join(root, "node_modules");
  const known = new Map<string, Deployment>();
  return {
    async deploy(setup, app, layout) {
      const name = `${setup.id}-${app}-${layout}`;
      const deployed = known.get(name);
      if (deployed !== undefined) return deployed;
      if (app === "orders" && !existsSync(appModules)) {
        await symlink(await installPeer("app"), appModules);
      }
      const { packages } = setup;
      const own = packages === "coldspan" ? coldspan : packages && (await installPeer(packages));
      const modules = { own, app: appModules };
      const deployment = {
        ...(await deploy(join(root, name), setup, app, layout, modules)),
        ...(setup.image !== undefined && {
          imageHome: await layOutImage(join(root, `${name}-opt`)),
        }),
      };
      known.set(name, deployment);
      return deployment;
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

/** Installs a folder of `peers/` by its lock file (up to half a minute, once per checkout). */
async function installPeer(folder: string): Promise<string> {
  return join(await installLocked(new URL(folder, PEERS).href), "node_modules");
}

/** As npm would put it there: copied, so that nothing is read from outside. */
async function installColdspan(root: string): Promise<string> {
  const modules = join(root, "coldspan/node_modules");
  await mkdir(modules, { recursive: true });
  await cp(join(ROOT, "dist"), join(modules, "coldspan/dist"), { recursive: true });
  await cp(join(ROOT, "package.json"), join(modules, "coldspan/package.json"));
  await symlink(join(ROOT, "node_modules/@opentelemetry"), join(modules, "@opentelemetry"));
  return modules;
}

async function deploy(
  directory: string,
  setup: Setup,
  app: App,
  layout: Layout,
  modules: { readonly own: string | undefined; readonly app: string },
): Promise<Deployment> {
  const { own } = modules;
  const taskRoot = directory;
  await mkdir(taskRoot);
  if (own !== undefined) await symlink(own, join(taskRoot, "node_modules"));
  const common: BuildOptions = {
    bundle: true,
    platform: "node",
    target: "node22.15",
    alias: {
      "bench:app": join(FUNCTIONS, `${app}.mjs`),
      ...(setup.exporter !== undefined && { "bench:exporter": setup.exporter }),
    },
    // Not the repository's: its `paths` lead from the package's name to its sources.
    tsconfigRaw: {},
    logLevel: "error",
    ...(layout === "packages"
      ? { packages: "external" }
      : {
          external: [...(setup.external ?? [])],
          nodePaths: own === undefined ? [modules.app] : [own, modules.app],
        }),
  };
  const emit = (module: string, format: Setup["format"], file: string) =>
    build({
      ...common,
      format,
      ...(format === "esm" && layout === "bundle" && { banner: { js: REQUIRE_IN_ESM } }),
      entryPoints: [join(FUNCTIONS, module)],
      outfile: join(taskRoot, file),
    });
  await emit(setup.entry, setup.format, "app.js");
  const type = setup.format === "esm" ? "module" : "commonjs";
  await writeFile(join(taskRoot, "package.json"), JSON.stringify({ type }));
  const handler = setup.handler ?? "app.handler";
  if (setup.preload === undefined) return { taskRoot, handler, preloads: [] };
  await emit(setup.preload, "cjs", setup.preload);
  await cp(join(FUNCTIONS, ESM_HOOK), join(taskRoot, ESM_HOOK));
  return { taskRoot, handler, preloads: [setup.preload, ESM_HOOK] };
}
