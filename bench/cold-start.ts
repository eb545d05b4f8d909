/**
 * Cold starts under the real runtime client, side by side: a process per run, cases interleaved
 * (A B C A B C …), so that whatever else the machine does meets all of them.
 *
 * `node bench/cold-start.ts [--quick] [--runs 15] [--warm-ups 2] [--node 24,22] [--apps echo,orders]
 * [--layouts packages,bundle] [--only coldspan,otel] [--results folder]`
 */
import { parseArgs } from "node:util";
import { type ColdPlan, planColdCases, QUICK_PLAN } from "./support/cold-cases.ts";
import { measureColdStarts } from "./support/cold-measure.ts";
import { type ColdResults, describeColdStarts } from "./support/cold-report.ts";
import { describeMachine } from "./support/machine.ts";
import type { NodeMajor } from "./support/platforms.ts";
import { saveResults } from "./support/results.ts";
import type { App, Layout } from "./support/workshop.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    runs: { type: "string", default: "15" },
    "warm-ups": { type: "string", default: "2" },
    node: { type: "string", default: "24,22" },
    apps: { type: "string", default: "echo,orders" },
    layouts: { type: "string", default: "packages,bundle" },
    only: { type: "string" },
    results: { type: "string" },
  },
});

const plan: ColdPlan = values.quick
  ? QUICK_PLAN
  : {
      nodes: values.node.split(",").map(Number) as NodeMajor[],
      apps: values.apps.split(",") as App[],
      layouts: values.layouts.split(",") as Layout[],
      only: values.only?.split(","),
    };
const warmUps = Number(values["warm-ups"]);
const header = { measuredAt: new Date().toISOString(), machine: await describeMachine(plan.nodes) };
const rows = await measureColdStarts(planColdCases(plan), {
  warmUps,
  counted: Number(values.runs),
  log: (line) => console.error(line),
});
const results: ColdResults = { ...header, warmUps, rows };
const markdown = describeColdStarts(results);
saveResults("cold-start", results, markdown, values.results);
console.log(markdown);
