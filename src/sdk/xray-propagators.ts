/** X-Ray's trace header as a propagation format, with and without Lambda's own copy of it. */
import {
  type Context,
  createContextKey,
  isSpanContextValid,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from "@opentelemetry/api";
import { AWSXRAY_TRACE_ID_HEADER, AWSXRayPropagator } from "@opentelemetry/propagator-aws-xray";
import { getXRayHeader } from "../trace/x-ray-header.ts";

/** Lambda counts hops in `Lineage` to stop functions that call themselves forever. */
const LINEAGE = /(?:^|;)\s*(Lineage=[^;]+)/;
/** Of an event's or a message's header. */
const LINEAGE_KEY: symbol = createContextKey("coldspan.xray-lineage");

/** Lambda's trace header where no context holds it: the environment variable. */
export type ReadTraceHeader = () => string | undefined;

/**
 * The stock X-Ray propagator drops `Lineage` on the way through (3.0.0); this one forwards it, as
 * X-Ray's header rules ask, also when another format names the parent. Lambda's header of the running
 * invocation says it best: it counts this function's hop, too.
 */
export class XrayPropagator implements TextMapPropagator {
  readonly #xray = new AWSXRayPropagator();
  readonly #readTraceHeader: ReadTraceHeader;

  constructor(readTraceHeader: ReadTraceHeader = () => undefined) {
    this.#readTraceHeader = readTraceHeader;
  }

  inject(ctx: Context, carrier: unknown, setter: TextMapSetter): void {
    const lineage = lineageOf(this.lambdaHeader(ctx)) ?? ctx.getValue(LINEAGE_KEY);
    if (lineage === undefined) {
      this.#xray.inject(ctx, carrier, setter);
      return;
    }
    this.#xray.inject(ctx, carrier, {
      set: (target, key, value) => setter.set(target, key, `${value};${lineage}`),
    });
  }

  extract(ctx: Context, carrier: unknown, getter: TextMapGetter): Context {
    const extracted = this.#xray.extract(ctx, carrier, getter);
    const lineage = lineageOf(getter.get(carrier, AWSXRAY_TRACE_ID_HEADER));
    return lineage === undefined ? extracted : extracted.setValue(LINEAGE_KEY, lineage);
  }

  fields(): string[] {
    return this.#xray.fields();
  }

  /** Lambda's own header of the invocation that a context belongs to. */
  protected lambdaHeader(ctx: Context): string | undefined {
    return getXRayHeader(ctx) ?? this.#readTraceHeader();
  }
}

/**
 * `xray-lambda` (semantic conventions, AWS Lambda page): Lambda's own header beats the event's, but
 * not a span that a format earlier in the list has found.
 */
export class XrayLambdaPropagator extends XrayPropagator {
  override extract(ctx: Context, carrier: unknown, getter: TextMapGetter): Context {
    const extracted = super.extract(ctx, carrier, getter);
    const incoming = trace.getSpanContext(ctx);
    if (incoming !== undefined && isSpanContextValid(incoming)) return extracted;
    const header = this.lambdaHeader(ctx);
    if (!header) return extracted;
    return super.extract(extracted, header, LAMBDA_HEADER);
  }
}

function lineageOf(header: unknown): string | undefined {
  return typeof header === "string" ? LINEAGE.exec(header)?.[1] : undefined;
}

/** Reads a bare header value as if it were a carrier with that one field. */
const LAMBDA_HEADER: TextMapGetter = {
  keys: () => [AWSXRAY_TRACE_ID_HEADER],
  get: (header: unknown) => String(header),
};
