/** coldspan by import, first, so that it sees the AWS SDK being loaded; the rest is in the environment. */
import "coldspan/init";
import { handle } from "bench:app";
import { withTracing } from "coldspan";

export const handler = withTracing(handle);
