/** Images of functions: a base, the function's files, and the handler as CMD. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
  { base, files, handler, dockerfile = [] }: FunctionImage,
): Promise<string> {
  const context = mkdtempSync(join(tmpdir(), "coldspan-image-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      const file = join(context, "task", name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    const lines = [
      `FROM ${base}`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Docker fills it in.
      "COPY task/ ${LAMBDA_TASK_ROOT}/",
      ...dockerfile,
      `CMD [${JSON.stringify(handler)}]`,
    ];
    mkdirSync(join(context, "task"), { recursive: true });
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
