/** Every example, built as its README says, sends what its README shows. */
import { readFileSync } from "node:fs";
import { describe, expect, inject, test } from "vitest";
import { readSection } from "../../scripts/readme.ts";
import { connectEngine } from "./engine.ts";
import { EXAMPLES, runExample } from "./examples.ts";

const engine = connectEngine(inject("dockerHost"));
const named = (name: string) => {
  const example = EXAMPLES.find((it) => it.name === name);
  if (example === undefined) throw new Error(`there is no example ${name}`);
  return example;
};

describe.each(inject("images"))("Node $major", ({ coldspan }) => {
  test("sqs-orders charges the orders and hands back the one that failed", async () => {
    const { spans, answer } = await runExample(engine, coldspan, named("sqs-orders"));
    expect(answer).toMatchObject({ batchItemFailures: [{ itemIdentifier: expect.any(String) }] });
    expect(spans.filter(({ name }) => name === "charge card")).toHaveLength(5);
    expect(spans.filter(({ status }) => status.code === "ERROR").length).toBeGreaterThan(0);
  });

  test("http-api is traced without a line of code", async () => {
    const { spans, answer } = await runExample(engine, coldspan, named("http-api"));
    expect(answer).toMatchObject({ statusCode: 201 });
    expect(spans.map(({ name }) => name).sort()).toEqual(["POST /carts/{cartId}/items", "init"]);
  });

  test("sqs-coralogix sends over TLS with its key, under its names, and mirrors to the log", async () => {
    const { spans, requests, stdout } = await runExample(engine, coldspan, named("sqs-coralogix"));
    expect(new Set(spans.map(({ name }) => name))).toEqual(
      new Set(["lambda.invoke", "cold_start_canary", "sqs.batch", "sqs.process"]),
    );
    expect(requests[0]?.headers.authorization).toBe("Bearer example-key");
    expect(spans[0]?.resource).toMatchObject({
      "cx.application.name": "shop",
      "cx.subsystem.name": "shipping",
    });
    expect(stdout).toContain("sqs.process");
  });

  test("x-ray sends sampled spans to the daemon, with what it indexes", async () => {
    const { spans, requests } = await runExample(engine, coldspan, named("x-ray"));
    const server = spans.find(({ kind }) => kind === "SERVER");
    expect(requests[0]?.transport).toBe("xray/udp");
    expect(server?.attributes).toMatchObject({ "aws.xray.annotations": ["cart"], cart: "c-9" });
  });
});

test.each(EXAMPLES)("the README of $name shows all of its spans", ({ name, spanCount }) => {
  const trace = readSection(readFileSync(`examples/${name}/README.md`, "utf8"), "trace");
  const spans = trace.match(/ (?:SERVER|CONSUMER|INTERNAL) (?!POST \/checkout)/g) ?? [];
  expect(spans).toHaveLength(spanCount);
});
