/** Lets the contestants flush in turn: a process each, blocks interleaved. */
import type { ChildProcess } from "node:child_process";
import { bundlePackage } from "../../scripts/build.ts";
import { ask, disconnect, forkModule } from "./child-process.ts";
import { type Collector, startCollector } from "./collector.ts";
import { CONTESTANTS, type ContestantName } from "./contestant-names.ts";
import type { FlushOrder, FlushSetup, FlushTimes } from "./flush-process.ts";
import { totalSpans } from "./received.ts";
import { median } from "./statistics.ts";

export interface FlushRow {
  readonly contestant: ContestantName;
  readonly spans: number;
  /** The median of each block. */
  readonly flushMs: readonly number[];
  readonly cpuMs: readonly number[];
  /** Received of those that were ended, 0 to 1. */
  readonly received: number;
}

/** Spans per flush, and how often in a row. */
export const ORDERS: readonly FlushOrder[] = [
  { spans: 1, repetitions: 100 },
  { spans: 10, repetitions: 100 },
  { spans: 1_000, repetitions: 10 },
  { spans: 10_000, repetitions: 3 },
];

export interface FlushPlan {
  readonly orders: readonly FlushOrder[];
  /** Blocks whose figures are thrown away: the optimizing compiler is at work. */
  readonly warmUps: number;
  readonly blocks: number;
  readonly log: (line: string) => void;
}

export async function measureFlushes({
  orders,
  warmUps,
  blocks,
  log,
}: FlushPlan): Promise<FlushRow[]> {
  await bundlePackage();
  const collector = await startCollector();
  const children = new Map<ContestantName, ChildProcess>();
  try {
    const { take: _, close: __, ...addresses } = collector;
    for (const contestant of CONTESTANTS) {
      const child = forkModule("flush-process.ts");
      children.set(contestant, child);
      await ask(child, { contestant, addresses } satisfies FlushSetup);
    }
    const rows: FlushRow[] = [];
    for (const order of orders) {
      log(`${order.spans} spans`);
      const measured = new Map(CONTESTANTS.map((name) => [name, [] as Block[]]));
      for (let block = 0; block < warmUps + blocks; block++) {
        for (const [name, child] of children) {
          const result = await runBlock(child, order, collector);
          if (block >= warmUps) measured.get(name)?.push(result);
        }
      }
      rows.push(...[...measured].map(([name, results]) => toRow(name, order, results)));
    }
    return rows;
  } finally {
    await Promise.all([...children.values()].map(disconnect));
    await collector.close();
  }
}

interface Block {
  readonly flushMs: number;
  readonly cpuMs: number;
  readonly received: number;
}

async function runBlock(
  child: ChildProcess,
  order: FlushOrder,
  collector: Collector,
): Promise<Block> {
  const { flushMs, cpuMs } = await ask<FlushTimes>(child, order);
  const ended = order.spans * order.repetitions;
  const received = totalSpans(await collector.take(0)) / ended;
  return { flushMs: median(flushMs), cpuMs: median(cpuMs), received };
}

function toRow(contestant: ContestantName, { spans }: FlushOrder, blocks: Block[]): FlushRow {
  return {
    contestant,
    spans,
    flushMs: blocks.map(({ flushMs }) => round(flushMs)),
    cpuMs: blocks.map(({ cpuMs }) => round(cpuMs)),
    received: median(blocks.map(({ received }) => received)),
  };
}

/** Four decimals: 0.1 µs. */
function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
