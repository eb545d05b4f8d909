/** Nobody traces. */
import { handle } from "bench:app";

export const handler = handle;
