import { firstRecord, isObject } from "../shape.ts";
import type { Source } from "../source.ts";

/** Mail that an SES receipt rule hands over. Addresses and subjects are personal, and are not read. */
export const ses: Source = {
  name: "ses",
  match: (event) => {
    const record = firstRecord(event);
    return record.eventSource === "aws:ses" && isObject(record.ses);
  },
  describe: () => ({ trigger: "other", attributes: {} }),
};
