/** coldspan by import; everything else is in the environment. */
import { handle } from "bench:app";
import { withTracing } from "coldspan";

export const handler = withTracing(handle);
