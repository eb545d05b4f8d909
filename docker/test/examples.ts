/** Builds the examples as their READMEs say, runs each in its container, and tells which spans arrived. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import type { ReceivedRequest } from "../../src/dev/received-request.ts";
import type { ReceivedSpan } from "../../src/dev/received-span.ts";
import type { ReceiverQuestions } from "../../src/dev/receiver-questions.ts";
import { startXrayReceiver } from "../../src/dev/xray-receiver.ts";
import { createAuthority } from "../../test/support/certificates.ts";
import { fixture } from "../../test/support/events.ts";
import type { Engine } from "./engine.ts";
import { buildFunctionImage } from "./function-image.ts";
import { startImageFunction } from "./image-function.ts";

const CA_FILE = "collector-ca.pem";
const run = promisify(execFile);

export interface Example {
  readonly name: string;
  /** In the language of the image's `/var/task`. */
  readonly source: "handler.ts" | "handler.mjs";
  readonly event: "orders" | "http";
  readonly spanCount: number;
  readonly collector: "plain" | "tls" | "xray";
  readonly env?: Readonly<Record<string, string>>;
}

export const EXAMPLES: readonly Example[] = [
  { name: "sqs-orders", source: "handler.ts", event: "orders", spanCount: 13, collector: "plain" },
  { name: "http-api", source: "handler.mjs", event: "http", spanCount: 2, collector: "plain" },
  {
    name: "sqs-coralogix",
    source: "handler.ts",
    event: "orders",
    spanCount: 8,
    collector: "tls",
    env: { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20example-key" },
  },
  { name: "x-ray", source: "handler.ts", event: "http", spanCount: 2, collector: "xray" },
];

export interface ExampleRun {
  /** What the sender of the event made; it has a collector of its own. */
  readonly upstream: readonly ReceivedSpan[];
  readonly spans: readonly ReceivedSpan[];
  readonly requests: readonly ReceivedRequest[];
  readonly answer: unknown;
  readonly stdout: string;
}

/** Builds the example's image on `base`, invokes it once and waits for its spans. */
export async function runExample(
  engine: Engine,
  base: string,
  example: Example,
): Promise<ExampleRun> {
  const image = await buildExample(engine, base, example);
  const collector = await startCollector(example.collector);
  const own = await buildFunctionImage(engine, {
    base: image,
    files: { [CA_FILE]: collector.ca },
    handler: "app.handler",
  });
  const { event, upstream } = await makeEvent(example.event);
  const { api, container } = await startImageFunction(engine, {
    image: own,
    functionName: example.name,
    env: { ...collector.env, ...example.env },
  });
  try {
    const result = await api.invoke(event, { traceId: SAMPLED_TRACE });
    const spans = await collector.received.waitForSpans(example.spanCount);
    const { stdout } = await container.logs();
    const answer: unknown = JSON.parse(result.body.toString());
    return { upstream, spans, requests: collector.received.requests(), answer, stdout };
  } finally {
    await container.remove();
    await api.close();
    await collector.close();
    await engine.tryDocker("rmi", "--force", own, image);
  }
}

/** As Lambda sends it with active tracing on. */
const SAMPLED_TRACE =
  "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:6fb1e8a2:0";

async function buildExample(engine: Engine, base: string, example: Example): Promise<string> {
  const context = mkdtempSync(join(tmpdir(), "coldspan-example-"));
  const folder = join("examples", example.name);
  try {
    mkdirSync(join(context, "dist"));
    cpSync(join(folder, "Dockerfile"), join(context, "Dockerfile"));
    await build({
      entryPoints: [join(folder, example.source)],
      outfile: join(context, "dist/app.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["coldspan", "@opentelemetry/api"],
      tsconfigRaw: {},
      logLevel: "warning",
    });
    return await engine.docker(
      ...["build", "--quiet", "--network=host", "--build-arg", `BASE_IMAGE=${base}`, context],
    );
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

interface Collector {
  readonly received: ReceiverQuestions;
  readonly env: Readonly<Record<string, string>>;
  /** PEM; empty without TLS. */
  readonly ca: string;
  close(): Promise<void>;
}

async function startCollector(kind: Example["collector"]): Promise<Collector> {
  if (kind === "xray") {
    const daemon = await startXrayReceiver();
    const env = { AWS_XRAY_DAEMON_ADDRESS: daemon.address };
    return { received: daemon, env, ca: "", close: () => daemon.close() };
  }
  const authority = createAuthority();
  const receiver = await startOtlpReceiver(
    kind === "tls" ? { tls: authority.issue({ usage: "server" }) } : {},
  );
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
    ...(kind === "tls" ? { OTEL_EXPORTER_OTLP_CERTIFICATE: `/var/task/${CA_FILE}` } : {}),
  };
  return { received: receiver, env, ca: authority.cert, close: () => receiver.close() };
}

async function makeEvent(
  kind: Example["event"],
): Promise<{ readonly event: unknown; readonly upstream: readonly ReceivedSpan[] }> {
  if (kind === "http") return { event: fixture("api-gateway-v2"), upstream: [] };
  const shop = await startOtlpReceiver();
  const { stdout } = await run(process.execPath, ["scripts/demo/producer.ts"], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: shop.grpcUrl },
  });
  await shop.close();
  return { event: JSON.parse(stdout), upstream: shop.spans() };
}
