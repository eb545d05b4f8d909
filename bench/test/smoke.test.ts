/** Every benchmark in its smallest form, as a command: whether it works, not how fast anything is. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import type { ColdRow } from "../support/cold-measure.ts";
import type { ColdResults } from "../support/cold-report.ts";
import type { FlushResults } from "../support/flush-report.ts";
import type { MemoryResults } from "../support/memory-report.ts";
import { type Header, readResults } from "../support/results.ts";
import type { WarmResults } from "../support/warm-report.ts";

const directory = mkdtempSync(join(tmpdir(), "coldspan-bench-"));
afterAll(() => rmSync(directory, { recursive: true }));

async function run(benchmark: string, ...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("node", [`bench/${benchmark}.ts`, ...options]);
  return stdout;
}

/** Runs a benchmark that saves its results and reads them; JSON makes `null` of what is no number. */
async function measure<T extends Header>(benchmark: string, ...options: string[]): Promise<T> {
  const stdout = await run(benchmark, ...options, "--results", directory);
  expect(stdout).toContain("Ratios, one machine");
  expect(stdout).not.toContain("fails:");
  return readResults<T>(benchmark, directory);
}

function expectPositive(...values: readonly unknown[]): void {
  expect(values.length).toBeGreaterThan(0);
  for (const value of values) expect(value).toSatisfy((it) => typeof it === "number" && it > 0);
}

function expectWorking({ failure, filesRead, runs }: ColdRow): void {
  expect(failure).toBeUndefined();
  const { spans: _, ...measured } = runs;
  for (const values of Object.values(measured)) expectPositive(...values);
  // Counted where strace is installed.
  if (filesRead !== undefined) expectPositive(filesRead.files, filesRead.bytes);
}

describe("cold starts", () => {
  test("are measured in Lambda's runtimes, with the spans of coldspan and of peers", async () => {
    const setups = "coldspan-after-return,image-warm,otel-manual,xray-sdk";
    const { rows, machine } = await measure<ColdResults>(
      "cold-start",
      ...["--runs", "1", "--warm-ups", "0", "--node", "24,22"],
      ...["--apps", "echo", "--layouts", "packages", "--only", setups],
    );

    expect(rows.map(({ node, setup }) => `${node} ${setup}`)).toEqual(
      ["24", "22"].flatMap((node) =>
        ["bare", ...setups.split(",")].map((setup) => `${node} ${setup}`),
      ),
    );
    rows.forEach(expectWorking);
    // Invocation and init; one each of the peers, which know no init.
    expect(rows.map(({ runs }) => runs.spans)).toEqual(
      [0, 2, 2, 1, 1, 0, 2, 2, 1, 1].map((spans) => [spans]),
    );
    expect(Object.keys(machine.node)).toEqual(["22", "24"]);
  });

  test("are measured of bundled functions", async () => {
    const { rows } = await measure<ColdResults>(
      "cold-start",
      ...["--runs", "1", "--warm-ups", "0", "--node", "24", "--apps", "echo"],
      ...["--layouts", "bundle", "--only", "coldspan,coldspan-esm,coldspan-http,coldspan-xray"],
    );

    rows.forEach(expectWorking);
    expect(rows.map(({ runs }) => runs.spans)).toEqual([[0], [0], [2], [2], [2], [2]]);
  });
});

test("warm invocations are measured, every span and link of them received", async () => {
  const setups = "coldspan,coldspan-after-return,coldspan-records,otel-manual";
  const { rows } = await measure<WarmResults>(
    "warm",
    ...["--warm-ups", "1", "--blocks", "1", "--max-records", "10", "--only", setups],
  );

  for (const { responseMs, cpuMs } of rows) expectPositive(...responseMs, ...cpuMs);
  const received = Object.groupBy(rows, ({ setup }) => setup);
  const counts = (setup: string) => received[setup]?.map(({ spans, links }) => [spans, links]);
  expect(counts("bare")).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  const perInvocation = [
    [1, 0],
    [3, 2],
    [12, 20],
  ];
  expect(counts("coldspan")).toEqual(perInvocation);
  expect(counts("coldspan-after-return")).toEqual(perInvocation);
  expect(counts("coldspan-records")).toEqual(perInvocation);
  expect(counts("otel-manual")?.map(([spans]) => spans)).toEqual([1, 1, 1]);
});

test("memory is measured, with the collector alive, dead and silent", async () => {
  const { rows } = await measure<MemoryResults>("memory", "--invocations", "40", "--samples", "4");

  expect(rows.map(({ setup, collector }) => `${setup} ${collector}`)).toEqual([
    "bare alive",
    "coldspan alive",
    "coldspan dead",
    "coldspan silent",
    "coldspan-after-return alive",
  ]);
  for (const { samples, responseMs } of rows) {
    expect(samples).toHaveLength(5);
    expectPositive(responseMs, ...samples.flatMap((it) => [it.heapMib, it.residentMib]));
  }
  const spans = rows.map((row) => row.spans);
  expect(spans.filter((_, index) => [0, 2, 3].includes(index))).toEqual([0, 0, 0]);
  // 40 invocations of 10 records, a batch and an invocation span each.
  expect(spans[1]).toBeGreaterThanOrEqual(480);
  expect(spans[4]).toBeGreaterThanOrEqual(480);
});

test("flushes are measured, every span of them received", async () => {
  const { rows } = await measure<FlushResults>(
    "flush",
    ...["--warm-ups", "0", "--blocks", "1", "--max-spans", "10"],
  );

  expect(rows).toHaveLength(10);
  for (const { flushMs, cpuMs, received } of rows) {
    expectPositive(...flushMs, ...cpuMs);
    expect(received).toBe(1);
  }
});

test("the profile of a cold start names coldspan's phases", async () => {
  const stdout = await run("profile", "--runs", "1");

  expect(stdout).toMatch(/\| evaluate coldspan \| 0 \| [\d.]*[1-9]/);
  const totals = [...stdout.matchAll(/\| \*\*all\*\* \| ([\d.]+) \| ([\d.]+) \|/g)];
  expect(totals).toHaveLength(2);
  expectPositive(...totals.flatMap(([, bare, traced]) => [Number(bare), Number(traced)]));
});
