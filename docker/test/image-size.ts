/** What an image adds to its base, in the compressed bytes that a registry stores and Lambda fetches. */
import { createReadStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { runCommand } from "./command.ts";
import type { Engine } from "./engine.ts";

/** Bytes of the layers that `image` has and `base` has not, each compressed as pushed (gzip). */
export async function addedBytes(engine: Engine, base: string, image: string): Promise<number> {
  const inherited = new Set(await layerIds(engine, base));
  const layers = await layerIds(engine, image);
  const directory = mkdtempSync(join(tmpdir(), "coldspan-image-"));
  try {
    await engine.docker("save", "--output", join(directory, "image.tar"), image);
    await runCommand("tar", ["-C", directory, "-xf", join(directory, "image.tar")]);
    const [manifest] = JSON.parse(readFileSync(join(directory, "manifest.json"), "utf8")) as [
      { readonly Layers: readonly string[] },
    ];
    const added = manifest.Layers.filter((_, index) => !inherited.has(layers[index] ?? ""));
    const sizes = await Promise.all(added.map((layer) => gzippedBytes(join(directory, layer))));
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function layerIds(engine: Engine, image: string): Promise<readonly string[]> {
  const format = "--format={{json .RootFS.Layers}}";
  return JSON.parse(await engine.docker("image", "inspect", format, image)) as string[];
}

async function gzippedBytes(file: string): Promise<number> {
  let bytes = 0;
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  await pipeline(createReadStream(file), createGzip(), count);
  return bytes;
}
