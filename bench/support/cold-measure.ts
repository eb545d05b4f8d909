/** Runs the cases in turn and keeps every single figure. */

import type { ColdCase } from "./cold-cases.ts";
import { type ColdRun, runCold, start } from "./cold-run.ts";
import { type Collector, startCollector } from "./collector.ts";
import { HTTP_EVENT } from "./events.ts";
import { type FilesRead, traceNode } from "./files-read.ts";
import { compileAhead } from "./image.ts";
import { type NodeMajor, openPlatform, type Platform } from "./platforms.ts";
import type { Setup } from "./setup.ts";
import { type Deployment, openWorkshop, type Workshop } from "./workshop.ts";

const BYTES_PER_MIB = 2 ** 20;

/** What is kept of a run, in the order of the runs: the same place is the same round in every row. */
export type Metric =
  | "initMs"
  | "firstMs"
  | "billedMs"
  | "initCpuMs"
  | "firstCpuMs"
  | "residentMib"
  | "spans";

export interface ColdRow {
  readonly setup: string;
  readonly app: string;
  readonly layout: string;
  readonly node: NodeMajor;
  /** Until the runtime's first request for work; absent without strace. */
  readonly filesRead?: FilesRead | undefined;
  /** Why there are no figures. */
  readonly failure?: string;
  readonly runs: Readonly<Record<Metric, readonly number[]>>;
}

export interface Rounds {
  readonly warmUps: number;
  readonly counted: number;
  readonly log: (line: string) => void;
}

interface Track {
  readonly coldCase: ColdCase;
  readonly filesRead: FilesRead | undefined;
  readonly runs: ColdRun[];
  failure: string | undefined;
}

/** A case that fails once is named and left out; it spoils no other. */
export async function measureColdStarts(
  cases: readonly ColdCase[],
  { warmUps, counted, log }: Rounds,
): Promise<ColdRow[]> {
  const collector = await startCollector();
  const workshop = await openWorkshop();
  try {
    const tracks: Track[] = [];
    log(`preparing ${cases.length} cases`);
    for (const coldCase of cases) tracks.push(await prepare(coldCase, workshop, collector));
    // What was started to prepare has sent spans, too.
    await collector.take(0);
    for (let round = 0; round < warmUps + counted; round++) {
      log(round < warmUps ? `warm-up ${round + 1}` : `round ${round - warmUps + 1} of ${counted}`);
      for (const track of tracks) {
        const run = await attempt(track, workshop, collector);
        if (round >= warmUps && run !== undefined) track.runs.push(run);
      }
    }
    return tracks.map(toRow);
  } finally {
    await workshop.close();
    await collector.close();
  }
}

/** Deploys, compiles ahead, and counts the files in a run of its own: strace slows everything down. */
async function prepare(
  coldCase: ColdCase,
  workshop: Workshop,
  collector: Collector,
): Promise<Track> {
  const { setup, app, layout, node } = coldCase;
  const track = { coldCase, filesRead: undefined, runs: [], failure: undefined };
  try {
    const platform = await openPlatform(node);
    const deployment = await workshop.deploy(setup, app, layout);
    await compileAhead(setup, deployment, platform, collector);
    return { ...track, filesRead: await countFiles(setup, deployment, platform, collector) };
  } catch (error) {
    return { ...track, failure: messageOf(error) };
  }
}

async function countFiles(
  setup: Setup,
  deployment: Deployment,
  platform: Platform,
  collector: Collector,
): Promise<FilesRead | undefined> {
  const traced = traceNode(platform.node);
  if (traced === undefined) return undefined;
  try {
    const running = await start(setup, deployment, platform, collector, { node: traced.node });
    const { timeMs } = await running.api.initialized;
    await running.close();
    return await traced.until(timeMs);
  } finally {
    traced.remove();
  }
}

async function attempt(
  track: Track,
  workshop: Workshop,
  collector: Collector,
): Promise<ColdRun | undefined> {
  if (track.failure !== undefined) return undefined;
  const { setup, app, layout, node } = track.coldCase;
  try {
    const platform = await openPlatform(node);
    const deployment = await workshop.deploy(setup, app, layout);
    return await runCold(setup, deployment, platform, collector, HTTP_EVENT);
  } catch (error) {
    track.failure = messageOf(error);
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function toRow({ coldCase, filesRead, runs, failure }: Track): ColdRow {
  const { setup, app, layout, node } = coldCase;
  const all = (read: (run: ColdRun) => number | undefined) =>
    runs.map((run) => round(read(run) ?? Number.NaN));
  return {
    setup: setup.id,
    app,
    layout,
    node,
    filesRead,
    ...(failure !== undefined && { failure }),
    runs: {
      initMs: all((run) => run.initMs),
      firstMs: all((run) => run.firstMs),
      billedMs: all((run) => run.billedMs),
      initCpuMs: all((run) => run.initCpuMs),
      firstCpuMs: all((run) => run.firstCpuMs),
      residentMib: all((run) => (run.residentBytes ?? Number.NaN) / BYTES_PER_MIB),
      spans: all((run) => run.spans),
    },
  };
}

/** Two decimals: 10 µs. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}
