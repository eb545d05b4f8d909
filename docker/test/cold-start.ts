/**
 * `node docker/test/cold-start.ts [runs]`: cold start in a container, the plain image against
 * coldspan's, interleaved; prints medians and ratios. From the start of the container's first process
 * to the answer to the first invocation.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { buildImageFiles } from "../../scripts/build-image.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { startRuntimeApi } from "../../src/dev/runtime-api.ts";
import { runCommand } from "./command.ts";
import { createContainer } from "./container.ts";
import { type Engine, startEngine } from "./engine.ts";
import { buildTaskImage } from "./function-image.ts";
import { buildImages } from "./global-setup.ts";
import { lambdaEnvironment } from "./image-function.ts";

const RUNS = Number(process.argv[2] ?? 15);
const CPUS = [1, 0.3];
const PACKAGES = [
  "@aws-sdk/client-dynamodb@3.1162.0",
  "@aws-sdk/lib-dynamodb@3.1162.0",
  "@aws-sdk/client-s3@3.1162.0",
  "@aws-sdk/client-sqs@3.1162.0",
  "zod@4.1.12",
];
const BARE = "export const handler = async () => 'done';";
const REALISTIC = `import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { z } from "zod";
const clients = [DynamoDBDocumentClient.from(new DynamoDBClient({})), new S3Client({}), new SQSClient({})];
const Order = z.object({ id: z.string(), total: z.number() });
export const handler = async () => [clients.length, Order.parse({ id: "1", total: 1 })];
`;

interface Variant {
  readonly name: string;
  readonly image: string;
}

interface Bench {
  readonly engine: Engine;
  readonly receiver: OtlpReceiver;
  readonly cpus: number;
}

interface Comparison {
  readonly name: string;
  readonly variants: readonly Variant[];
}

async function main(): Promise<void> {
  const engine = await startEngine();
  // One for all runs: a collector that is itself starting would be measured as well.
  const receiver = await startOtlpReceiver();
  const tasks = mkdtempSync(join(tmpdir(), "coldspan-tasks-"));
  try {
    await buildImageFiles();
    const { base, coldspan } = await buildImages(engine, 24);
    const comparisons: Comparison[] = [];
    for (const [name, folder] of await layOutTasks(tasks)) {
      const image = (from: string, dockerfile: readonly string[] = []) =>
        buildTaskImage(engine, { base: from, folder, handler: "app.handler", dockerfile });
      const variants = [
        { name: "plain", image: await image(base) },
        { name: "coldspan", image: await image(coldspan) },
        { name: "warm", image: await image(coldspan, ["RUN coldspan warm app.handler"]) },
      ];
      comparisons.push({ name, variants });
    }
    for (const cpus of CPUS)
      for (const it of comparisons) await compare({ engine, receiver, cpus }, it);
  } finally {
    rmSync(tasks, { recursive: true, force: true });
    await receiver.close();
    await engine.stop();
  }
}

/** Folders with the handlers to compare, by name. */
async function layOutTasks(parent: string): Promise<Map<string, string>> {
  const bare = mkdtempSync(join(parent, "bare-"));
  writeFileSync(join(bare, "app.mjs"), BARE);
  const unbundled = mkdtempSync(join(parent, "unbundled-"));
  writeFileSync(join(unbundled, "app.mjs"), REALISTIC);
  await runCommand("npm", ["install", "--no-audit", "--no-fund", ...PACKAGES], {
    cwd: unbundled,
  });
  const bundled = mkdtempSync(join(parent, "bundled-"));
  await build({
    entryPoints: [join(unbundled, "app.mjs")],
    bundle: true,
    minify: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    outfile: join(bundled, "app.js"),
    logLevel: "error",
  });
  return new Map([
    ["bare", bare],
    ["three clients, unbundled", unbundled],
    ["three clients, bundled", bundled],
  ]);
}

async function compare(bench: Bench, { name, variants }: Comparison): Promise<void> {
  const times = new Map(variants.map((variant) => [variant.name, [] as number[]]));
  for (let run = 0; run < RUNS; run += 1) {
    for (const variant of variants) {
      times.get(variant.name)?.push(await coldStart(bench, variant.image));
    }
  }
  const plainMs = median(times.get("plain") ?? []);
  const load = loadavg()[0]?.toFixed(1);
  for (const [variant, all] of times) {
    const ms = median(all);
    const ratio = (ms / plainMs).toFixed(2);
    const above = `${ms >= plainMs ? "+" : ""}${(ms - plainMs).toFixed(0)} ms`;
    console.log(
      [
        `${bench.cpus} CPU`,
        name,
        variant,
        `${ms.toFixed(0)} ms`,
        above,
        `× ${ratio}`,
        `load ${load}`,
      ].join(" | "),
    );
  }
}

async function coldStart({ engine, receiver, cpus }: Bench, image: string): Promise<number> {
  const api = await startRuntimeApi();
  const container = await createContainer(engine, {
    image,
    cpus,
    env: {
      ...lambdaEnvironment(api, "orders"),
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
    },
  });
  const answered = api.invoke({});
  await container.start();
  const { postedMs, outcome } = await answered;
  if (outcome !== "response") throw new Error(`${image} answered with ${outcome}`);
  const ms = postedMs - (await container.startedAtMs());
  await container.remove();
  await api.close();
  receiver.clear();
  return ms;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

await main();
