/** Powertools' Tracer as Middy middleware, clients captured. */

import { clients, handle } from "bench:app";
import { Tracer } from "@aws-lambda-powertools/tracer";
import { captureLambdaHandler } from "@aws-lambda-powertools/tracer/middleware";
import middy from "@middy/core";

const tracer = new Tracer({ serviceName: "bench" });
for (const client of clients) tracer.captureAWSv3Client(client);

export const handler = middy(handle).use(captureLambdaHandler(tracer));
