import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createConsoleDestination, formatSpan } from "../../src/export/console.ts";
import { makeManySpans } from "../support/sample-spans.ts";
import { arbitrarySpan } from "./support/arbitrary-spans.ts";

const CONTEXT = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
};

function span(own: Partial<ReadableSpan>): ReadableSpan {
  const base = {
    name: "process orders",
    kind: SpanKind.CONSUMER,
    spanContext: () => CONTEXT,
    duration: [0, 12_345_678],
    status: { code: SpanStatusCode.UNSET },
    attributes: {},
    links: [],
    events: [],
  };
  return { ...base, ...own } as unknown as ReadableSpan;
}

test("a line has what a reader of logs looks for", () => {
  const line = formatSpan(
    span({
      parentSpanContext: { ...CONTEXT, spanId: "00f067aa0ba902b7" },
      status: { code: SpanStatusCode.ERROR, message: "bad order" },
      links: [{ context: CONTEXT }],
      attributes: { "messaging.system": "aws_sqs", "messaging.batch.message_count": 3 },
    }),
  );

  expect(line).toBe(
    'span "process orders" CONSUMER 12.3 ms ERROR="bad order" trace=0af7651916cd43dd8448eb211c80319c id=b7ad6b7169203331 parent=00f067aa0ba902b7 links=1 messaging.system=aws_sqs messaging.batch.message_count=3',
  );
});

test("a root span that went well says no more than that", () => {
  expect(formatSpan(span({ kind: SpanKind.SERVER, duration: [2, 0] }))).toBe(
    'span "process orders" SERVER 2000.0 ms trace=0af7651916cd43dd8448eb211c80319c id=b7ad6b7169203331',
  );
});

test("attributes that may carry a secret stay out", () => {
  const line = formatSpan(
    span({
      attributes: {
        "http.request.header.authorization": "s3cr3t",
        "http.request.body.content": "s3cr3t",
        "url.full": "https://host/?token=s3cr3t",
        "url.query": "token=s3cr3t",
        "db.query.text": "select s3cr3t",
        "db.statement": "select s3cr3t",
        "exception.message": "s3cr3t",
        "rpc.grpc.request.metadata.authorization": ["s3cr3t"],
        "aws.xray.metadata.request": "s3cr3t",
        password: "s3cr3t",
        "http.route": "/orders/{id}",
      },
    }),
  );

  expect(line).toMatch(/http\.route="\/orders\/\{id\}"$/);
  expect(line).not.toContain("s3cr3t");
});

test("any span is one line of bounded length", () => {
  fc.assert(
    fc.property(arbitrarySpan, (one) => {
      const line = formatSpan(one);
      expect(line).not.toMatch(/[\n\r]/);
      expect(line.length).toBeLessThan(20_000);
    }),
  );
});

test("what is written is one line per span", async () => {
  const written: string[] = [];
  const destination = createConsoleDestination((lines, done) => {
    written.push(Buffer.from(lines).toString("utf8"));
    done();
  });

  const outcome = await destination.send(destination.encode(makeManySpans(3)), 1000);

  expect(outcome).toEqual({ status: "success" });
  expect(written.join("").split("\n")).toHaveLength(4);
});

test("an output that never takes the lines holds a send no longer than its bound", async () => {
  const destination = createConsoleDestination(() => undefined);

  expect(await destination.send(destination.encode(makeManySpans(1)), 50)).toMatchObject({
    status: "retryable",
  });
});

const script = `
  const { createDestination } = await import(${JSON.stringify(new URL("../../src/export/destinations.ts", import.meta.url).href)});
  const destination = await createDestination({ kind: "console" });
  for await (const _ of process.stdin);
  const outcome = await destination.send(Buffer.from("span\\n"), 1000);
  process.stderr.write(outcome.status);`;

async function run(use: (child: ChildProcessWithoutNullStreams) => void) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += String(chunk);
  });
  use(child);
  child.stdin.end();
  const [exitCode] = await once(child, "close");
  return { ...output, exitCode };
}

test("lines reach stdout", async () => {
  expect(await run(() => undefined)).toEqual({
    stdout: "span\n",
    stderr: "success",
    exitCode: 0,
  });
});

test("a closed stdout ends neither the send nor the process", async () => {
  expect(await run(({ stdout }) => stdout.destroy())).toEqual({
    stdout: "",
    stderr: "failure",
    exitCode: 0,
  });
});
