import { asObject } from "../shape.ts";
import type { Source } from "../source.ts";

/** Log data of a subscription filter. What is inside is gzip, and stays closed: it would cost milliseconds. */
export const cloudwatchLogs: Source = {
  name: "cloudwatch-logs",
  match: (event) => typeof asObject(event.awslogs).data === "string",
  describe: () => ({ trigger: "other", attributes: {} }),
};
