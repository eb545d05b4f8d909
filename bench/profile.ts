/**
 * Where the time of a cold start goes: CPU profiles of the bare function and of coldspan's, by phase.
 * Profiling slows everything down; look at the shares, and at what should not be there at all.
 *
 * `node bench/profile.ts [--runs 10] [--node 24] [--setup coldspan-esm] [--layout packages]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { start, TRACE_HEADER } from "./support/cold-run.ts";
import { type Collector, startCollector } from "./support/collector.ts";
import { measurePhases, type Phases, readProfile } from "./support/cpu-profile.ts";
import { HTTP_EVENT } from "./support/events.ts";
import { type NodeMajor, openPlatform, type Platform } from "./support/platforms.ts";
import { createPhaseFinder } from "./support/profile-phases.ts";
import { baselineOf, type Setup } from "./support/setup.ts";
import { findSetup } from "./support/setups.ts";
import { median } from "./support/statistics.ts";
import { formatDifference, formatNumber, renderTable } from "./support/table.ts";
import { type Deployment, type Layout, openWorkshop } from "./support/workshop.ts";

const INTERVAL_US = 50;
const NANOS_PER_MS = 1e6;

/** What is less in every column is summed up. */
const SHOWN_MS = 0.3;

interface Profiled {
  readonly init: Phases;
  readonly first: Phases;
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "10" },
    node: { type: "string", default: "24" },
    setup: { type: "string", default: "coldspan-esm" },
    layout: { type: "string", default: "packages" },
  },
});

async function main(): Promise<void> {
  const setup = findSetup(values.setup);
  if (setup === undefined) throw new Error(`no setup "${values.setup}"`);
  const collector = await startCollector();
  const workshop = await openWorkshop();
  const platform = await openPlatform(Number(values.node) as NodeMajor);
  const sides = [baselineOf(setup), setup] as const;
  const profiles = new Map<Setup, Profiled[]>(sides.map((side) => [side, []]));
  try {
    for (let run = -1; run < Number(values.runs); run++) {
      for (const side of sides) {
        const deployment = await workshop.deploy(side, "profile", values.layout as Layout);
        const profiled = await profileOnce(side, deployment, platform, collector);
        if (run >= 0) profiles.get(side)?.push(profiled);
      }
    }
  } finally {
    await workshop.close();
    await collector.close();
  }
  const [bare = [], traced = []] = profiles.values();
  console.log(`# ${setup.name} (Node ${values.node}, ${values.layout}), medians of ${values.runs}`);
  console.log(`\n## Init, ms\n\n${comparePhases(bare, traced, "init")}`);
  console.log(
    `\n## First invocation until its answer, ms\n\n${comparePhases(bare, traced, "first")}`,
  );
}

async function profileOnce(
  setup: Setup,
  deployment: Deployment,
  platform: Platform,
  collector: Collector,
): Promise<Profiled> {
  const directory = mkdtempSync(join(tmpdir(), "coldspan-profile-"));
  const execArgv = [
    "--cpu-prof",
    `--cpu-prof-dir=${directory}`,
    `--cpu-prof-interval=${INTERVAL_US}`,
  ];
  const running = await start(setup, deployment, platform, collector, { execArgv });
  try {
    const result = await running.invoke(HTTP_EVENT, { traceId: TRACE_HEADER });
    await result.settled;
    await running.invoke({ isLast: true });
    await running.exited;
    const profile = readProfile(directory);
    const findPhase = createPhaseFinder();
    const handedOutMs = toMonotonicMs(result.handedOutMs ?? Number.NaN);
    return {
      init: measurePhases(profile, findPhase, 0, handedOutMs),
      first: measurePhases(profile, findPhase, handedOutMs, toMonotonicMs(result.postedMs)),
    };
  } finally {
    await running.close();
    rmSync(directory, { recursive: true });
  }
}

/** V8 stamps its samples with the system's monotonic clock. */
function toMonotonicMs(unixMs: number): number {
  const now = performance.timeOrigin + performance.now();
  return Number(process.hrtime.bigint()) / NANOS_PER_MS - (now - unixMs);
}

function comparePhases(
  bare: readonly Profiled[],
  traced: readonly Profiled[],
  part: keyof Profiled,
): string {
  const names = new Set([...bare, ...traced].flatMap((profiled) => [...profiled[part].keys()]));
  const medianOf = (profiles: readonly Profiled[], name: string) =>
    median(profiles.map((profiled) => profiled[part].get(name) ?? 0));
  const rows = [...names].map((name) => ({
    name,
    bareMs: medianOf(bare, name),
    tracedMs: medianOf(traced, name),
  }));
  const sum = (side: "bareMs" | "tracedMs", of = rows) =>
    of.reduce((total, row) => total + row[side], 0);
  const shown = rows
    .filter(({ bareMs, tracedMs }) => Math.abs(tracedMs - bareMs) >= SHOWN_MS)
    .toSorted((a, b) => b.tracedMs - b.bareMs - (a.tracedMs - a.bareMs));
  const rest = rows.filter((row) => !shown.includes(row));
  const all = [
    ...shown,
    { name: "everything else", bareMs: sum("bareMs", rest), tracedMs: sum("tracedMs", rest) },
    { name: "**all**", bareMs: sum("bareMs"), tracedMs: sum("tracedMs") },
  ];
  const cells = all.map(({ name, bareMs, tracedMs }) => [
    name,
    formatNumber(bareMs),
    formatNumber(tracedMs),
    formatDifference(tracedMs - bareMs),
  ]);
  return renderTable(["", "bare", "traced", "difference"], cells);
}

await main();
