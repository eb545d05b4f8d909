import { setTimeout as sleep } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import type { SQSEvent } from "aws-lambda";
import { processRecords, withTracing } from "coldspan";

interface Order {
  readonly id: string;
  readonly card: string;
}

const tracer = trace.getTracer("orders");

/** Charges every order of the batch; one that fails goes back to the queue, the others do not. */
export const handler = withTracing((event: SQSEvent) =>
  processRecords(event, async (record) => {
    const order = JSON.parse(record.body) as Order;
    await tracer.startActiveSpan("charge card", async (span) => {
      try {
        await charge(order);
      } finally {
        span.end();
      }
    });
  }),
);

async function charge(order: Order): Promise<void> {
  await sleep(5);
  if (order.card === "expired") throw new Error(`order ${order.id}: the card has expired`);
}
