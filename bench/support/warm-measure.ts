/** Invokes warm functions in turn: one process per setup, blocks of invocations interleaved. */
import type { FunctionProcess } from "../../src/dev/running-function.ts";
import { start, TRACE_HEADER } from "./cold-run.ts";
import { type Collector, startCollector } from "./collector.ts";
import { HTTP_EVENT, sqsEvent } from "./events.ts";
import { compileAhead } from "./image.ts";
import { type NodeMajor, openPlatform } from "./platforms.ts";
import { readCpuMs } from "./process-usage.ts";
import { totalSpans } from "./received.ts";
import type { Setup } from "./setup.ts";
import { median } from "./statistics.ts";
import { openWorkshop } from "./workshop.ts";

export interface Payload {
  readonly kind: "http" | "sqs";
  /** 0 for a request. */
  readonly records: number;
  /** Invocations in a row before the next setup has its turn. */
  readonly perBlock: number;
}

export const PAYLOADS: readonly Payload[] = [
  { kind: "http", records: 0, perBlock: 200 },
  { kind: "sqs", records: 1, perBlock: 100 },
  { kind: "sqs", records: 10, perBlock: 50 },
  { kind: "sqs", records: 100, perBlock: 20 },
  { kind: "sqs", records: 1_000, perBlock: 5 },
  { kind: "sqs", records: 10_000, perBlock: 2 },
];

export interface WarmRow {
  readonly setup: string;
  readonly kind: Payload["kind"];
  readonly records: number;
  /** Hand-out to answer: the median of each block, in the order of the blocks. */
  readonly responseMs: readonly number[];
  /** CPU time of the process per invocation, of each block, until its spans have arrived. */
  readonly cpuMs: readonly number[];
  /** Received per invocation. */
  readonly spans: number;
  readonly links: number;
}

export interface WarmPlan {
  readonly setups: readonly Setup[];
  readonly node: NodeMajor;
  readonly payloads: readonly Payload[];
  /** Whose figures are thrown away: the optimizing compiler is at work. */
  readonly warmUps: number;
  readonly blocks: number;
  readonly log: (line: string) => void;
}

interface Block {
  readonly responseMs: number;
  readonly cpuMs: number;
  readonly spans: number;
  readonly links: number;
}

export async function measureWarm(plan: WarmPlan): Promise<WarmRow[]> {
  const collector = await startCollector();
  const workshop = await openWorkshop();
  const running = new Map<Setup, FunctionProcess>();
  try {
    const platform = await openPlatform(plan.node);
    for (const setup of plan.setups) {
      const deployment = await workshop.deploy(setup, "warm", "packages");
      await compileAhead(setup, deployment, platform, collector);
      running.set(setup, await start(setup, deployment, platform, collector));
    }
    const rows: WarmRow[] = [];
    for (const payload of plan.payloads) {
      plan.log(describe(payload));
      rows.push(...(await measurePayload(payload, plan, running, collector)));
    }
    return rows;
  } finally {
    await Promise.all([...running.values()].map((process) => process.close()));
    await workshop.close();
    await collector.close();
  }
}

function describe({ kind, records }: Payload): string {
  return kind === "http" ? "HTTP request" : `SQS, ${records} record${records === 1 ? "" : "s"}`;
}

async function measurePayload(
  payload: Payload,
  { warmUps, blocks }: WarmPlan,
  running: ReadonlyMap<Setup, FunctionProcess>,
  collector: Collector,
): Promise<WarmRow[]> {
  const event = payload.kind === "http" ? HTTP_EVENT : sqsEvent(payload.records);
  const bytes = Buffer.from(JSON.stringify(event));
  const measured = new Map<Setup, Block[]>([...running.keys()].map((setup) => [setup, []]));
  for (let block = 0; block < warmUps + blocks; block++) {
    for (const [setup, process] of running) {
      const result = await runBlock(setup, process, bytes, payload, collector);
      if (block >= warmUps) measured.get(setup)?.push(result);
    }
  }
  return [...measured].map(([setup, results]) => ({
    setup: setup.id,
    kind: payload.kind,
    records: payload.records,
    responseMs: results.map(({ responseMs }) => round(responseMs)),
    cpuMs: results.map(({ cpuMs }) => round(cpuMs)),
    spans: median(results.map(({ spans }) => spans)),
    links: median(results.map(({ links }) => links)),
  }));
}

async function runBlock(
  setup: Setup,
  process: FunctionProcess,
  event: Uint8Array,
  payload: Payload,
  collector: Collector,
): Promise<Block> {
  const invocations = payload.perBlock;
  const responses: number[] = [];
  const cpuBeforeMs = readCpuMs(process.pid) ?? Number.NaN;
  for (let n = 0; n < invocations; n++) {
    const result = await process.invoke(event, { traceId: TRACE_HEADER });
    if (result.outcome !== "response" || result.handedOutMs === undefined) {
      throw new Error(`${setup.name}: ${result.body}\n${process.stderr}`);
    }
    responses.push(result.postedMs - result.handedOutMs);
    await result.settled;
  }
  const received = await collector.take(invocations * leastSpans(setup, payload));
  // What is sent after the answer, or put off while the function is busy, is paid for as well.
  const cpuAfterMs = readCpuMs(process.pid) ?? Number.NaN;
  return {
    responseMs: median(responses),
    cpuMs: (cpuAfterMs - cpuBeforeMs) / invocations,
    spans: totalSpans(received) / invocations,
    links: received.links / invocations,
  };
}

/** Per invocation; the next block begins when they are there. */
function leastSpans({ exportsBy, packages, image }: Setup, { kind, records }: Payload): number {
  if (exportsBy === undefined || exportsBy === "stdout") return 0;
  const isColdspan = packages === "coldspan" || image !== undefined;
  return isColdspan && kind === "sqs" ? records + 2 : 1;
}

/** Four decimals: 0.1 µs. */
function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
