import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { SpanKind } from "@opentelemetry/api";
import { AwsInstrumentation } from "@opentelemetry/instrumentation-aws-sdk";
import { type BuildOptions, build } from "esbuild";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { INSTRUMENTATIONS } from "../../src/sdk/instrumentations.ts";
import { NODE_22_FLAGS, node22 } from "../support/node-binary.ts";

const FIXTURES = "test/fixtures/aws-sdk";
const PROGRAMS = join(".cache", "aws-sdk-programs");

interface SentMessage {
  readonly MessageBody: string;
  readonly MessageAttributes?: Record<string, { DataType: string; StringValue: string }>;
}

interface Outcome {
  readonly spans: readonly Record<string, unknown>[];
  readonly instrumentationFiles: readonly string[];
  readonly stderr: string;
}

let sqs: Server;
let received: SentMessage[];

beforeAll(async () => {
  await buildPrograms();
  sqs = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const message = JSON.parse(Buffer.concat(chunks).toString()) as SentMessage;
      received.push(message);
      const MD5OfMessageBody = createHash("md5").update(message.MessageBody).digest("hex");
      response.setHeader("Content-Type", "application/x-amz-json-1.0");
      response.end(JSON.stringify({ MessageId: "m-1", MD5OfMessageBody }));
    });
  });
  await new Promise<void>((resolve) => sqs.listen(0, "127.0.0.1", resolve));
});

beforeEach(() => {
  received = [];
});

afterAll(() => {
  sqs.close();
});

/** The programs beside the bundles, as they would be in an image. */
async function buildPrograms(): Promise<void> {
  mkdirSync(PROGRAMS, { recursive: true });
  for (const file of readdirSync(FIXTURES)) {
    if (!file.endsWith(".ts")) cpSync(join(FIXTURES, file), join(PROGRAMS, file));
  }
  cpSync("dist/cjs/instrumentation-aws-sdk.cjs", join(PROGRAMS, "instrumentation-aws-sdk.cjs"));
  const shared: BuildOptions = {
    entryPoints: [join(FIXTURES, "start.ts")],
    bundle: true,
    platform: "node",
    external: ["@opentelemetry/api"],
    conditions: ["import", "module"],
    mainFields: ["module", "main"],
  };
  await build({ ...shared, format: "esm", outfile: join(PROGRAMS, "start.mjs") });
  await build({
    ...shared,
    format: "cjs",
    outfile: join(PROGRAMS, "start.cjs"),
    define: { "import.meta.filename": "__filename" },
  });
}

async function run(node: string, flags: readonly string[], program: string): Promise<Outcome> {
  const { port } = sqs.address() as AddressInfo;
  const { stdout, stderr } = await promisify(execFile)(node, [...flags, join(PROGRAMS, program)], {
    env: { PATH: process.env.PATH, FAKE_ENDPOINT: `http://127.0.0.1:${port}` },
  });
  return { ...(JSON.parse(stdout) as Omit<Outcome, "stderr">), stderr };
}

const NODES = [
  ["Node 24", () => process.execPath, []],
  ["Node 22 with its bootstrap's flags", node22, NODE_22_FLAGS],
] as const;
const PROGRAM_NAMES = ["static-import.mjs", "require.cjs", "import-commonjs.mjs"];
const MATRIX = NODES.flatMap(([name, binary, flags]) =>
  PROGRAM_NAMES.map((program) => [program, name, binary, flags] as const),
);

test.each(MATRIX)("an AWS client in %s is traced on %s", async (program, _, binary, flags) => {
  const { spans, instrumentationFiles, stderr } = await run(binary(), flags, program);
  expect(stderr).toBe("");
  const handler = spans.find((span) => span.name === "handler");
  const send = spans.find((span) => span !== handler);
  expect(spans).toHaveLength(2);
  expect(send).toMatchObject({
    name: "orders send",
    kind: SpanKind.PRODUCER,
    traceId: handler?.traceId,
    parentSpanId: handler?.spanId,
  });
  expect(received).toHaveLength(1);
  expect(received[0]?.MessageAttributes?.traceparent).toEqual({
    DataType: "String",
    StringValue: `00-${send?.traceId}-${send?.spanId}-01`,
  });
  expect(instrumentationFiles).toHaveLength(1);
});

test("without the instrumentation's file the program runs, untraced and warned once", async () => {
  const file = join(PROGRAMS, "instrumentation-aws-sdk.cjs");
  const content = readFileSync(file);
  rmSync(file);
  try {
    const { spans, stderr } = await run(process.execPath, [], "require.cjs");
    expect(spans.map((span) => span.name)).toEqual(["handler"]);
    expect(stderr.match(/^coldspan: could not instrument @smithy\/core/gm)).toHaveLength(1);
    expect(received).toHaveLength(1);
  } finally {
    writeFileSync(file, content);
  }
});

test("a program without the AWS SDK loads no instrumentation", async () => {
  const { spans, instrumentationFiles } = await run(process.execPath, [], "without.mjs");
  expect({ spans, instrumentationFiles }).toEqual({ spans: [], instrumentationFiles: [] });
});

test("the files that are watched are those that the instrumentation patches", () => {
  const watched = INSTRUMENTATIONS.flatMap(({ patches }) =>
    [...patches].flatMap(([name, files]) => files.map((file) => name + file)),
  );
  const patched = definitionsOf(new AwsInstrumentation()).flatMap(({ name, patch, files }) => [
    ...(patch === undefined ? [] : [name]),
    ...files.map((file) => file.name),
  ]);
  expect(watched.toSorted()).toEqual(patched.toSorted());
});

interface Definition {
  readonly name: string;
  readonly patch: unknown;
  readonly files: readonly { readonly name: string }[];
}

/** What its base class asks every instrumentation for. */
function definitionsOf(instrumentation: AwsInstrumentation): readonly Definition[] {
  return (instrumentation as unknown as { init(): readonly Definition[] }).init();
}
