import type { EventDescription, Source } from "../source.ts";

const DESCRIPTION: EventDescription = Object.freeze({ trigger: "other", attributes: {} });

/** Everything no other source knows: direct invocations, IoT rules, Scheduler inputs, non-objects. */
export const other: Source = {
  name: "other",
  match: () => true,
  describe: () => DESCRIPTION,
};
