/** A process that ends spans and flushes them when told to, and says what that took. */
import type { Tracer } from "@opentelemetry/api";
import type { ContestantName } from "./contestant-names.ts";
import { type Contestant, createContestant } from "./flush-contestant.ts";
import type { Addresses } from "./received.ts";

export interface FlushSetup {
  readonly contestant: ContestantName;
  readonly addresses: Addresses;
}

export interface FlushOrder {
  readonly spans: number;
  readonly repetitions: number;
}

/** Per repetition: the spans made and ended at once, then flushed. */
export interface FlushTimes {
  /** End of the last span to the end of the flush. */
  readonly flushMs: number[];
  /** CPU time of the process from the first span to the end of the flush. */
  readonly cpuMs: number[];
}

const MICROS_PER_MS = 1e3;

/** As many attributes as a span of a message or of an AWS call carries. */
const ATTRIBUTES = {
  "messaging.system": "aws_sqs",
  "messaging.operation.name": "process",
  "messaging.destination.name": "orders",
  "messaging.message.id": "00000000-0000-4000-8000-000000000001",
  "messaging.message.body.size": 1_024,
  "cloud.region": "us-east-1",
  "faas.trigger": "pubsub",
  "aws.sqs.queue.url": "https://sqs.us-east-1.amazonaws.com/111122223333/orders",
};

let contestant: Contestant | undefined;

process.on("message", (message: FlushSetup | FlushOrder) => {
  if ("contestant" in message) {
    contestant = createContestant(message.contestant, message.addresses);
    process.send?.("ready");
  } else if (contestant !== undefined) {
    void work(contestant, message).then((times) => process.send?.(times));
  }
});
process.on("disconnect", () => process.exit());

async function work(
  { tracer, flush }: Contestant,
  { spans, repetitions }: FlushOrder,
): Promise<FlushTimes> {
  const times: FlushTimes = { flushMs: [], cpuMs: [] };
  for (let n = 0; n < repetitions; n++) {
    const cpuBefore = process.cpuUsage();
    makeSpans(tracer, spans);
    const startMs = performance.now();
    await flush();
    times.flushMs.push(performance.now() - startMs);
    const { user, system } = process.cpuUsage(cpuBefore);
    times.cpuMs.push((user + system) / MICROS_PER_MS);
  }
  return times;
}

function makeSpans(tracer: Tracer, count: number): void {
  for (let n = 0; n < count; n++) {
    tracer.startSpan("process orders", { attributes: ATTRIBUTES }).end();
  }
}
