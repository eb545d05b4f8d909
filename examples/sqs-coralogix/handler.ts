import { setTimeout as sleep } from "node:timers/promises";
import type { SQSEvent } from "aws-lambda";
import { withTracing } from "coldspan";

/** Every turn of the loop is a span of its own, in the trace of whoever sent the message. */
export const handler = withTracing(
  async (event: SQSEvent) => {
    for (const record of event.Records) {
      const { id } = JSON.parse(record.body) as { readonly id: string };
      await ship(id);
    }
  },
  {
    names: {
      invocation: "lambda.invoke",
      record: "sqs.process",
      batch: "sqs.batch",
      init: "cold_start_canary",
    },
  },
);

async function ship(id: string): Promise<void> {
  await sleep(id.length);
}
