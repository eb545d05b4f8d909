import type { Source } from "../source.ts";

/** Everything no other source knows: direct invocations, IoT rules, Scheduler inputs, non-objects. */
export const other: Source = {
  name: "other",
  match: () => true,
  describe: () => ({ trigger: "other", attributes: {} }),
};
