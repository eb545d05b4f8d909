/** How code inside a handler finds its invocation, whichever copy of coldspan wrapped the handler. */
import { type Context, context } from "@opentelemetry/api";
import type { RecordDescription } from "./source.ts";

const KEY: symbol = Symbol.for("coldspan.invocation.v1");

/** One record's place in the trace, driven by {@link processRecords}. */
export interface RecordTurn {
  /** Runs the work with the record's span current. Errors pass through and mark the span. */
  run<T>(work: () => T): T;
  /** Ends the record's span, now that the work has settled; `failure` when it failed. */
  end(failure?: { readonly thrown: unknown }): void;
}

export interface CurrentInvocation {
  /** Unix time in ms at which Lambda ends the invocation. */
  readonly deadlineMs: number;
  /** The turn of a record of this invocation's event; undefined for any other record. */
  turnOf(record: unknown, position: number, description: RecordDescription): RecordTurn | undefined;
}

export function setCurrentInvocation(base: Context, invocation: CurrentInvocation): Context {
  return base.setValue(KEY, invocation);
}

/** The invocation this code runs in; undefined outside a traced handler. */
export function currentInvocation(): CurrentInvocation | undefined {
  return context.active().getValue(KEY) as CurrentInvocation | undefined;
}
