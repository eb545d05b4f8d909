/** Images of functions: a base, the function's files, and the handler as CMD. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Engine } from "./engine.ts";

export interface FunctionImage {
  readonly base: string;
  readonly files: Readonly<Record<string, string>>;
  readonly handler: string;
  /** Further lines of the Dockerfile, before CMD. */
  readonly dockerfile?: readonly string[];
}

/** Builds the image and returns its id. */
export async function buildFunctionImage(
  engine: Engine,
  { files, ...image }: FunctionImage,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "coldspan-task-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      const file = join(folder, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    return await buildTaskImage(engine, { ...image, folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same for a task root that is there as a folder. */
export async function buildTaskImage(
  engine: Engine,
  {
    base,
    folder,
    handler,
    dockerfile = [],
  }: Omit<FunctionImage, "files"> & { readonly folder: string },
): Promise<string> {
  const context = mkdtempSync(join(tmpdir(), "coldspan-image-"));
  try {
    const lines = [
      `FROM ${base}`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Docker fills it in.
      "COPY task/ ${LAMBDA_TASK_ROOT}/",
      ...dockerfile,
      `CMD [${JSON.stringify(handler)}]`,
    ];
    cpSync(folder, join(context, "task"), { recursive: true, verbatimSymlinks: true });
    // What `mkdtemp` makes is closed to the user that Lambda runs functions as.
    chmodSync(join(context, "task"), 0o755);
    writeFileSync(join(context, "Dockerfile"), `${lines.join("\n")}\n`);
    return await engine.docker("build", "--quiet", "--network=host", context);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

export interface FunctionImages {
  /** Builds an image, or names the one that was built of the same parts. */
  build(parts: FunctionImage): Promise<string>;
  /** Deletes every image built. */
  remove(): Promise<void>;
}

/** The images of one test file. */
export function functionImages(engine: Engine): FunctionImages {
  const images = new Map<string, Promise<string>>();
  return {
    build(parts) {
      const key = JSON.stringify(parts);
      const image = images.get(key) ?? buildFunctionImage(engine, parts);
      images.set(key, image);
      return image;
    },
    async remove() {
      for (const image of images.values()) await engine.tryDocker("rmi", "--force", await image);
    },
  };
}
