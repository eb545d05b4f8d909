/** One line of the table: what a fault was shown to cost. Tests fill it in, the reporter prints it. */
import type { TestContext } from "vitest";

export type Protocol = "grpc" | "http/protobuf";
export type Mode = "before-return" | "after-return" | "periodic";

/** What a row is about. */
export interface FaultCase {
  readonly fault: string;
  readonly protocol: Protocol;
  readonly mode: Mode;
}

export interface FaultRow extends FaultCase {
  /** Spans that the function has ended. */
  expected?: number;
  /** Of those: at the receiver, each counted once. */
  arrived?: number;
  /** Spans that came again although an answer had come. */
  doubled?: number;
  /** Spans that were sent again because an answer was lost. */
  resent?: number;
  /** Spans that the sender counted as dropped. */
  dropped?: number;
  /** Longest time from event to answer, ms. */
  longestWaitMs?: number;
  peakMemoryBytes?: number;
  note?: string;
}

declare module "vitest" {
  interface TaskMeta {
    faultRow?: FaultRow;
  }
}

export const PROTOCOLS: readonly Protocol[] = ["grpc", "http/protobuf"];
export const MODES: readonly Mode[] = ["before-return", "after-return"];

/** Each case over each protocol and in each mode. */
export function crossed<Case extends object>(
  cases: readonly Case[],
  protocols: readonly Protocol[] = PROTOCOLS,
  modes: readonly Mode[] = MODES,
): (Case & { readonly protocol: Protocol; readonly mode: Mode })[] {
  return cases.flatMap((each) =>
    protocols.flatMap((protocol) => modes.map((mode) => ({ ...each, protocol, mode }))),
  );
}

/** Opens the test's line in the table; what is filled in later is shown even when the test fails. */
export function startRow({ task }: TestContext, { fault, protocol, mode }: FaultCase): FaultRow {
  const row: FaultRow = { fault, protocol, mode };
  task.meta.faultRow = row;
  return row;
}
