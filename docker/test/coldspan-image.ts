/** Builds coldspan's images from the Dockerfile that ships, on a base that needs no registry. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../scripts/build.ts";
import type { Engine } from "./engine.ts";

/** What the Dockerfile copies; the whole checkout would be sent to the engine each time. */
const CONTEXT = ["dist/image", "dist/image-prime.mjs", "docker/Dockerfile"];

export interface ColdspanImage {
  /** Stage of the Dockerfile. */
  readonly target: "nodejs" | "files";
  readonly base: string;
  readonly tag: string;
}

/** Builds one target from what `npm run build:image` left in `dist/`; returns its tag. */
export async function buildColdspanImage(
  engine: Engine,
  { target, base, tag }: ColdspanImage,
): Promise<string> {
  const context = mkdtempSync(join(tmpdir(), "coldspan-context-"));
  try {
    for (const path of CONTEXT) {
      cpSync(path, join(context, path), { recursive: true, verbatimSymlinks: true });
    }
    await engine.docker(
      ...["build", "--quiet", "--network=host", "--target", target, "--tag", tag],
      ...["--build-arg", `BASE_IMAGE=${base}`, "--build-arg", `VERSION=${version}`],
      ...["--file", join(context, "docker/Dockerfile"), context],
    );
    return tag;
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}
