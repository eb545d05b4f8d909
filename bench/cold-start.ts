/**
 * Cold starts under the real runtime client, side by side: a process per run, cases interleaved
 * (A B C A B C …), so that whatever else the machine does meets all of them.
 *
 * `node bench/cold-start.ts [--runs 15] [--warm-ups 2] [--node 24,22] [--apps echo,orders]
 * [--only coldspan,otel] [--save]`
 */
import { parseArgs } from "node:util";
import { planColdCases } from "./support/cold-cases.ts";
import { measureColdStarts } from "./support/cold-measure.ts";
import { type ColdResults, describeColdStarts } from "./support/cold-report.ts";
import { describeMachine } from "./support/machine.ts";
import type { NodeMajor } from "./support/platforms.ts";
import { saveResults } from "./support/results.ts";
import type { App } from "./support/workshop.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "15" },
    "warm-ups": { type: "string", default: "2" },
    node: { type: "string", default: "24,22" },
    apps: { type: "string", default: "echo,orders" },
    only: { type: "string" },
    save: { type: "boolean", default: false },
  },
});

const nodes = values.node.split(",").map(Number) as NodeMajor[];
const warmUps = Number(values["warm-ups"]);
const cases = planColdCases({
  nodes,
  apps: values.apps.split(",") as App[],
  only: values.only?.split(","),
});
const header = { measuredAt: new Date().toISOString(), machine: await describeMachine(nodes) };
const rows = await measureColdStarts(cases, {
  warmUps,
  counted: Number(values.runs),
  log: (line) => console.error(line),
});
const results: ColdResults = { ...header, warmUps, rows };
const markdown = describeColdStarts(results);
if (values.save) saveResults("cold-start", results, markdown);
console.log(markdown);
