/**
 * What tracing adds to a warm invocation: time to the answer, and CPU time until Lambda would freeze.
 *
 * `node bench/warm.ts [--blocks 7] [--node 24] [--only coldspan,otel] [--max-records 10000] [--save]`
 */
import { parseArgs } from "node:util";
import { describeMachine } from "./support/machine.ts";
import type { NodeMajor } from "./support/platforms.ts";
import { saveResults } from "./support/results.ts";
import { BARE, COLDSPAN_RECORDS, COLDSPAN_SETUPS, PEER_SETUPS } from "./support/setup.ts";
import { measureWarm, PAYLOADS } from "./support/warm-measure.ts";
import { describeWarm, type WarmResults } from "./support/warm-report.ts";

const { values } = parseArgs({
  options: {
    blocks: { type: "string", default: "7" },
    node: { type: "string", default: "24" },
    only: { type: "string" },
    "max-records": { type: "string", default: "10000" },
    save: { type: "boolean", default: false },
  },
});

const only = values.only?.split(",");
const node = Number(values.node) as NodeMajor;
const setups = [COLDSPAN_RECORDS, ...COLDSPAN_SETUPS, ...PEER_SETUPS].filter(({ id, format }) =>
  only === undefined ? format === "cjs" : only.includes(id),
);
const header = { measuredAt: new Date().toISOString(), machine: await describeMachine([node]) };
const rows = await measureWarm({
  setups: [BARE, ...setups],
  node,
  payloads: PAYLOADS.filter(({ records }) => records <= Number(values["max-records"])),
  blocks: Number(values.blocks),
  log: (line) => console.error(line),
});
const results: WarmResults = { ...header, rows };
const markdown = describeWarm(results);
if (values.save) saveResults("warm", results, markdown);
console.log(markdown);
