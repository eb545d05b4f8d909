/** The configured context formats as one propagator, with rules for carriers that hold several. */
import {
  type Context,
  defaultTextMapGetter,
  type Span,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from "@opentelemetry/api";
import { W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { B3InjectEncoding, B3Propagator } from "@opentelemetry/propagator-b3";
import type { PropagatorName } from "../config.ts";
import { warnOnce } from "../diag.ts";
import { type ReadTraceHeader, XrayLambdaPropagator, XrayPropagator } from "./xray-propagators.ts";

export interface Propagators {
  /** For messages, requests and everything that is injected: the global propagator. */
  readonly carrier: TextMapPropagator;
  /**
   * For the event of an invocation. With `xray-lambda` it also reads Lambda's own trace header,
   * which says nothing about a single message and would become the parent of each.
   */
  readonly invocation: TextMapPropagator;
}

/** Makes the propagators of these names; X-Ray's ask for Lambda's header of the running invocation. */
export function createPropagators(
  names: readonly PropagatorName[],
  readTraceHeader: ReadTraceHeader,
): Propagators {
  const xray = new XrayPropagator(readTraceHeader);
  const compose = (xrayLambda: TextMapPropagator): TextMapPropagator =>
    new FirstFoundPropagator(
      names.map((name) => {
        if (name === "xray-lambda") return xrayLambda;
        return name === "xray" ? xray : FORMATS[name]();
      }),
    );
  const carrier = compose(xray);
  if (!names.includes("xray-lambda")) return { carrier, invocation: carrier };
  return { carrier, invocation: compose(new XrayLambdaPropagator(readTraceHeader)) };
}

type PlainFormat = Exclude<PropagatorName, "xray" | "xray-lambda">;

const FORMATS: Readonly<Record<PlainFormat, () => TextMapPropagator>> = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
  b3: () => new B3Propagator(),
  b3multi: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
};

/**
 * In an extraction the span that the earlier format found stays; OpenTelemetry's own composite lets
 * the later one win, and with `tracecontext,baggage,xray` the header that API Gateway adds would beat
 * the caller's `traceparent`. Baggage is merged in any case.
 */
class FirstFoundPropagator implements TextMapPropagator {
  readonly #propagators: readonly TextMapPropagator[];
  readonly #fields: readonly string[];

  constructor(propagators: readonly TextMapPropagator[]) {
    this.#propagators = propagators;
    this.#fields = [...new Set(propagators.flatMap((propagator) => propagator.fields()))];
  }

  inject(ctx: Context, carrier: unknown, setter: TextMapSetter): void {
    const replacing: TextMapSetter = {
      set: (target, key, value) => {
        deleteOtherSpellings(target, key);
        setter.set(target, key, value);
      },
    };
    for (const propagator of this.#propagators) {
      try {
        propagator.inject(ctx, carrier, replacing);
      } catch (error) {
        reportOnce("inject", error);
      }
    }
  }

  extract(ctx: Context, carrier: unknown, getter: TextMapGetter): Context {
    const reader = getter === defaultTextMapGetter ? anyCaseGetter : getter;
    let result = ctx;
    let found: Span | undefined;
    for (const propagator of this.#propagators) {
      let next: Context;
      try {
        next = propagator.extract(result, carrier, reader);
      } catch (error) {
        reportOnce("extract", error);
        continue;
      }
      // A format that finds no valid header answers the context it was given.
      if (next === result) continue;
      const span = trace.getSpan(next);
      const isNew = span !== trace.getSpan(result);
      result = found !== undefined && isNew ? trace.setSpan(next, found) : next;
      if (isNew) found ??= span;
    }
    return result;
  }

  fields(): string[] {
    return [...this.#fields];
  }
}

/** A carrier of any shape comes from the user's side: its failure must not become the handler's. */
function reportOnce(action: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : typeof error;
  warnOnce(action, `could not ${action} a context: ${reason}`);
}

/** Reads plain objects of headers whatever the letter case, as HTTP does. */
export const anyCaseGetter: TextMapGetter = {
  keys: (carrier) => (isRecord(carrier) ? Object.keys(carrier) : []),
  get(carrier, key) {
    if (!isRecord(carrier)) return undefined;
    const spelling = Object.hasOwn(carrier, key) ? key : spellingsOf(carrier, key)[0];
    const value = spelling === undefined ? undefined : carrier[spelling];
    if (typeof value === "string") return value;
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
  },
};

/** A request with `Traceparent` must not get a second `traceparent` beside it. */
function deleteOtherSpellings(carrier: unknown, key: string): void {
  if (!isRecord(carrier)) return;
  const prototype: unknown = Object.getPrototypeOf(carrier);
  if (prototype !== Object.prototype && prototype !== null) return;
  for (const spelling of spellingsOf(carrier, key)) {
    if (spelling !== key) delete carrier[spelling];
  }
}

function spellingsOf(carrier: Readonly<Record<string, unknown>>, key: string): string[] {
  const wanted = key.toLowerCase();
  return Object.keys(carrier).filter((name) => name.toLowerCase() === wanted);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
