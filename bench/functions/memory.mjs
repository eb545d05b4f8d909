/** Works through deliveries, and tells what is left on the heap when asked (`--expose-gc` is Lambda's). */
import { handle as work } from "./warm.mjs";

export const clients = [];

export const handle = async (event) => {
  if (event.isProbe !== true) return work(event);
  globalThis.gc();
  return process.memoryUsage();
};
