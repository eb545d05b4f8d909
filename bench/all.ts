/**
 * Every benchmark, one after the other, into `results/`: `npm run bench`, or `npm run bench -- --quick`
 * for what the README's table needs. Other options go to the single benchmarks only.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { RESULTS } from "./support/results.ts";

const MS_PER_MINUTE = 60_000;

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const quick = values.quick ? ["--quick"] : [];
const fewer = values.quick ? ["--blocks", "5"] : [];
const BENCHMARKS: readonly (readonly [name: string, options: readonly string[]])[] = [
  ["cold-start", quick],
  ["warm", [...quick, ...fewer]],
  ["memory", []],
  ["flush", fewer],
];

for (const [name, options] of BENCHMARKS) {
  const startMs = performance.now();
  console.error(`== ${name}`);
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const argv = [file, ...options, "--results", RESULTS];
  const { status } = spawnSync(process.execPath, argv, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  const minutes = (performance.now() - startMs) / MS_PER_MINUTE;
  console.error(`== ${name} took ${minutes.toFixed(1)} min`);
}
console.error("`npm run readme` puts the results into the README.");
