/** coldspan by import, with its own loop over the records of a delivery. */
import { handle, work } from "bench:app";
import { processRecords, withTracing } from "coldspan";

export const handler = withTracing((event) =>
  event.Records === undefined ? handle(event) : processRecords(event, work),
);
