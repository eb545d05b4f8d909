/** The line above every table: on what it was measured. */
import type { Header } from "./results.ts";

const STAND_IN =
  "**The runtime client's native addon is missing: each cold start is about 100 ms too long** (`npm run runtimes`).";

export function describeHeader({ measuredAt, machine }: Header): string {
  const { cpu, cores, memoryGib, system, load, node, addon, commit } = machine;
  const versions = Object.values(node).map((version) => `Node ${version}`);
  return [
    `Ratios, one machine: ${cores} × ${cpu}, ${memoryGib} GiB, ${system};`,
    `${versions.join(", ")}; load ${load.toFixed(1)} at the start;`,
    `coldspan ${commit}, ${measuredAt.slice(0, 10)}.`,
    ...(addon === "stand-in" ? [STAND_IN] : []),
  ].join(" ");
}
