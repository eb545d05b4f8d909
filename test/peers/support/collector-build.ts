/** Builds an OpenTelemetry Collector with its own builder: once per checkout and manifest, about seven minutes. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, findCached, run } from "../../../runtimes/cache.ts";

const MANIFEST = fileURLToPath(new URL("collector-manifest.yaml", import.meta.url));
const BUILDER = "go.opentelemetry.io/collector/cmd/builder";

/**
 * Two compilers at once leave a small machine usable. `-e` reaches `go mod tidy` only: it forgives that
 * the file exporter's own tests import a module that was never published.
 */
const GO_FLAGS = "-p=2 -e=true";

/** The Collector's binary; rejects with one line when it cannot be built here. */
export async function buildCollector(): Promise<string> {
  const manifest = await readFile(MANIFEST, "utf8");
  const [, version] = /otlpreceiver (v\S+)/.exec(manifest) ?? [];
  const digest = createHash("sha256").update(manifest).digest("hex").slice(0, 8);
  const name = `peers/collector-${digest}-${process.platform}-${process.arch}`;
  const directory = findCached(name) ?? (await cached(name, (draft) => compile(draft, version)));
  return join(directory, "collector");
}

async function compile(directory: string, version: string | undefined): Promise<void> {
  await requireGo();
  console.log(`Building the OpenTelemetry Collector ${version} (first run only, minutes) …`);
  const startMs = performance.now();
  const go = ["-n", "15", "env", `GOBIN=${directory}`, `GOFLAGS=${GO_FLAGS}`];
  await run("nice", [...go, "go", "install", `${BUILDER}@${version}`], directory);
  await run("nice", [...go, join(directory, "builder"), "--config", MANIFEST], directory);
  console.log(`Built in ${Math.round((performance.now() - startMs) / 1000)} s.`);
}

async function requireGo(): Promise<void> {
  try {
    await run("go", ["version"], ".");
  } catch {
    throw new Error("Go is not on this machine: https://go.dev/doc/install");
  }
}
