/**
 * Whether memory grows: many invocations in one process, also while the collector is dead.
 *
 * `node bench/memory.ts [--invocations 20000] [--samples 40] [--node 24] [--results folder]`
 */
import { parseArgs } from "node:util";
import { describeMachine } from "./support/machine.ts";
import { type MemoryCase, measureMemory } from "./support/memory-measure.ts";
import { describeMemory, type MemoryResults } from "./support/memory-report.ts";
import type { NodeMajor } from "./support/platforms.ts";
import { saveResults } from "./support/results.ts";
import { BARE } from "./support/setup.ts";
import { SETUPS } from "./support/setups.ts";

const { values } = parseArgs({
  options: {
    invocations: { type: "string", default: "20000" },
    samples: { type: "string", default: "40" },
    node: { type: "string", default: "24" },
    results: { type: "string" },
  },
});

const cases = SETUPS.flatMap((setup): MemoryCase[] => {
  if (setup === BARE) return [{ setup, collector: "alive" }];
  if (setup.id === "coldspan") {
    return (["alive", "dead", "silent"] as const).map((collector) => ({ setup, collector }));
  }
  return setup.id === "coldspan-after-return" ? [{ setup, collector: "alive" }] : [];
});
const node = Number(values.node) as NodeMajor;
const header = { measuredAt: new Date().toISOString(), machine: await describeMachine([node]) };
const rows = await measureMemory({
  cases,
  node,
  invocations: Number(values.invocations),
  samples: Number(values.samples),
  log: (line) => console.error(line),
});
const results: MemoryResults = { ...header, rows };
const markdown = describeMemory(results);
saveResults("memory", results, markdown, values.results);
console.log(markdown);
