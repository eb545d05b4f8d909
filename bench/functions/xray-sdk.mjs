/** The AWS X-Ray SDK: a subsegment around the handler, clients captured. */

import { clients, handle } from "bench:app";
import xray from "aws-xray-sdk-core";

for (const client of clients) xray.captureAWSv3Client(client);

export const handler = (event, context) =>
  xray.captureAsyncFunc("handler", async (subsegment) => {
    try {
      return await handle(event, context);
    } finally {
      subsegment?.close();
    }
  });
