/**
 * One flush: coldspan's buffer and transports against the SDK's batch processor and its exporters.
 *
 * `node bench/flush.ts [--warm-ups 2] [--blocks 7] [--max-spans 10000] [--results folder]`
 */
import { parseArgs } from "node:util";
import { measureFlushes, ORDERS } from "./support/flush-measure.ts";
import { describeFlushes, type FlushResults } from "./support/flush-report.ts";
import { describeMachine } from "./support/machine.ts";
import { saveResults } from "./support/results.ts";

const { values } = parseArgs({
  options: {
    "warm-ups": { type: "string", default: "2" },
    blocks: { type: "string", default: "7" },
    "max-spans": { type: "string", default: "10000" },
    results: { type: "string" },
  },
});

const header = { measuredAt: new Date().toISOString(), machine: await describeMachine([24]) };
const rows = await measureFlushes({
  orders: ORDERS.filter(({ spans }) => spans <= Number(values["max-spans"])),
  warmUps: Number(values["warm-ups"]),
  blocks: Number(values.blocks),
  log: (line) => console.error(line),
});
const results: FlushResults = { ...header, rows };
const markdown = describeFlushes(results);
saveResults("flush", results, markdown, values.results);
console.log(markdown);
