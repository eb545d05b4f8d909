/** Invokes one process again and again and asks what it keeps. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { FunctionProcess } from "../../src/dev/running-function.ts";
import { start, TRACE_HEADER } from "./cold-run.ts";
import { type Collector, startCollector } from "./collector.ts";
import { sqsEvent } from "./events.ts";
import { type NodeMajor, openPlatform } from "./platforms.ts";
import { totalSpans } from "./received.ts";
import type { Setup } from "./setup.ts";
import { openWorkshop } from "./workshop.ts";

const RECORDS = 10;

/** A common size; Lambda's bootstrap gives Node these shares of it, without which V8 spends what it likes. */
export const MEMORY_MB = 256;
const HEAP_FLAGS = [
  `--max-semi-space-size=${Math.floor(MEMORY_MB * 0.05)}`,
  `--max-old-space-size=${Math.floor(MEMORY_MB * 0.9)}`,
];

/** Of each invocation: a dead collector's fill coldspan's buffer in the first half. */
const SPANS = RECORDS + 2;

const BYTES_PER_MIB = 2 ** 20;

/** `dead`: nothing listens there. `silent`: connections are accepted and nothing is answered. */
export type CollectorState = "alive" | "dead" | "silent";

export interface MemoryCase {
  readonly setup: Setup;
  readonly collector: CollectorState;
}

export interface MemorySample {
  readonly invocations: number;
  /** After a full collection. */
  readonly heapMib: number;
  readonly residentMib: number;
}

export interface MemoryRow {
  readonly setup: string;
  readonly collector: CollectorState;
  readonly samples: readonly MemorySample[];
  readonly spans: number;
  /** Mean time from hand-out to answer. */
  readonly responseMs: number;
}

export interface MemoryPlan {
  readonly cases: readonly MemoryCase[];
  readonly node: NodeMajor;
  readonly invocations: number;
  readonly samples: number;
  readonly log: (line: string) => void;
}

export async function measureMemory(plan: MemoryPlan): Promise<MemoryRow[]> {
  const collector = await startCollector();
  const workshop = await openWorkshop();
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  try {
    const platform = await openPlatform(plan.node);
    const urls = {
      alive: collector.grpcUrl,
      dead: await findClosedUrl(),
      silent: urlOf(silent.address() as AddressInfo),
    };
    const rows: MemoryRow[] = [];
    for (const memoryCase of plan.cases) {
      const { setup } = memoryCase;
      plan.log(`${setup.name}, collector ${memoryCase.collector}`);
      const deployment = await workshop.deploy(setup, "memory", "packages");
      const env = {
        ...setup.env?.(collector),
        OTEL_EXPORTER_OTLP_ENDPOINT: urls[memoryCase.collector],
      };
      const options = { env, memoryMb: MEMORY_MB, execArgv: HEAP_FLAGS };
      const running = await start(setup, deployment, platform, collector, options);
      try {
        rows.push(await runCase(memoryCase, running, collector, plan));
      } finally {
        await running.close();
      }
    }
    return rows;
  } finally {
    silent.close();
    await workshop.close();
    await collector.close();
  }
}

async function runCase(
  { setup, collector: state }: MemoryCase,
  running: FunctionProcess,
  collector: Collector,
  plan: MemoryPlan,
): Promise<MemoryRow> {
  const event = Buffer.from(JSON.stringify(sqsEvent(RECORDS)));
  const perSample = Math.ceil(plan.invocations / plan.samples);
  const samples: MemorySample[] = [await probe(running, 0)];
  let spans = 0;
  let totalMs = 0;
  for (let done = perSample; done <= plan.invocations; done += perSample) {
    for (let n = 0; n < perSample; n++) totalMs += await invoke(running, event);
    samples.push(await probe(running, done));
    spans += totalSpans(await collector.take(0));
  }
  const invocations = perSample * (samples.length - 1);
  // A busy environment puts off what it sends after its return. Each probe is an invocation,
  // too, and init is a span.
  const isDelivered = state === "alive" && setup.exportsBy !== undefined;
  const due = isDelivered ? invocations * SPANS + samples.length + 1 - spans : 0;
  spans += totalSpans(await collector.take(due));
  const responseMs = totalMs / invocations;
  return { setup: setup.id, collector: state, samples, spans, responseMs };
}

async function invoke(running: FunctionProcess, event: Uint8Array): Promise<number> {
  const result = await running.invoke(event, { traceId: TRACE_HEADER });
  if (result.outcome !== "response" || result.handedOutMs === undefined) {
    throw new Error(`${result.body}\n${running.stderr}`);
  }
  await result.settled;
  return result.postedMs - result.handedOutMs;
}

async function probe(running: FunctionProcess, invocations: number): Promise<MemorySample> {
  const { body } = await running.invoke({ isProbe: true });
  const { heapUsed, rss } = JSON.parse(body.toString()) as NodeJS.MemoryUsage;
  return { invocations, heapMib: toMib(heapUsed), residentMib: toMib(rss) };
}

function toMib(bytes: number): number {
  return Math.round((bytes / BYTES_PER_MIB) * 1000) / 1000;
}

/** A port that was free a moment ago: connections are refused. */
async function findClosedUrl(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = urlOf(server.address() as AddressInfo);
  server.close();
  await once(server, "close");
  return url;
}

function urlOf({ port }: AddressInfo): string {
  return `http://127.0.0.1:${port}`;
}
