/**
 * What tracing adds to a warm invocation: time to the answer, and CPU time until the spans have arrived.
 *
 * `node bench/warm.ts [--quick] [--warm-ups 2] [--blocks 7] [--node 24] [--only coldspan,otel]
 * [--max-records 10000] [--results folder]`
 */
import { parseArgs } from "node:util";
import { describeMachine } from "./support/machine.ts";
import type { NodeMajor } from "./support/platforms.ts";
import { saveResults } from "./support/results.ts";
import { BARE } from "./support/setup.ts";
import { chooseSetups, QUICK_WARM, WARM } from "./support/setups.ts";
import { measureWarm, PAYLOADS } from "./support/warm-measure.ts";
import { describeWarm, type WarmResults } from "./support/warm-report.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    "warm-ups": { type: "string", default: "2" },
    blocks: { type: "string", default: "7" },
    node: { type: "string", default: "24" },
    only: { type: "string" },
    "max-records": { type: "string", default: "10000" },
    results: { type: "string" },
  },
});

const only = values.only?.split(",") ?? (values.quick ? QUICK_WARM : WARM);
const node = Number(values.node) as NodeMajor;
const header = { measuredAt: new Date().toISOString(), machine: await describeMachine([node]) };
const rows = await measureWarm({
  setups: [BARE, ...chooseSetups(only).filter(({ id }) => only.includes(id))],
  node,
  payloads: PAYLOADS.filter(({ records }) => records <= Number(values["max-records"])),
  warmUps: Number(values["warm-ups"]),
  blocks: Number(values.blocks),
  log: (line) => console.error(line),
});
const results: WarmResults = { ...header, rows };
const markdown = describeWarm(results);
saveResults("warm", results, markdown, values.results);
console.log(markdown);
