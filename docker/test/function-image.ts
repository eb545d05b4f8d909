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
