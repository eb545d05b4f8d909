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
const LINEAGE_KEY: symbol = createContextKey("coldspan.xray-lineage");

/**
 * The stock X-Ray propagator drops `Lineage` on the way through (3.0.0); this one forwards it, as
 * X-Ray's header rules ask, also when another format names the parent.
 */
export class XrayPropagator implements TextMapPropagator {
  readonly #xray = new AWSXRayPropagator();

  inject(ctx: Context, carrier: unknown, setter: TextMapSetter): void {
    const lineage = ctx.getValue(LINEAGE_KEY);
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
    const header = getter.get(carrier, AWSXRAY_TRACE_ID_HEADER);
    const [, lineage] = LINEAGE.exec(String(header ?? "")) ?? [];
    return lineage === undefined ? extracted : extracted.setValue(LINEAGE_KEY, lineage);
  }

  fields(): string[] {
    return this.#xray.fields();
  }
}

/**
 * `xray-lambda` (semantic conventions, AWS Lambda page): Lambda's own header beats the event's, but
 * not a span that a format earlier in the list has found.
 */
export class XrayLambdaPropagator extends XrayPropagator {
  readonly #readTraceHeader: () => string | undefined;

  constructor(readTraceHeader: () => string | undefined) {
    super();
    this.#readTraceHeader = readTraceHeader;
  }

  override extract(ctx: Context, carrier: unknown, getter: TextMapGetter): Context {
    const extracted = super.extract(ctx, carrier, getter);
    const incoming = trace.getSpanContext(ctx);
    if (incoming !== undefined && isSpanContextValid(incoming)) return extracted;
    const header = getXRayHeader(ctx) ?? this.#readTraceHeader();
    if (!header) return extracted;
    return super.extract(extracted, header, LAMBDA_HEADER);
  }
}

/** Reads a bare header value as if it were a carrier with that one field. */
const LAMBDA_HEADER: TextMapGetter = {
  keys: () => [AWSXRAY_TRACE_ID_HEADER],
  get: (header: unknown) => String(header),
};
