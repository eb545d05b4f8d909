import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { PropagatorName } from "../../src/config.ts";
import { anyCaseGetter, createPropagators } from "../../src/sdk/propagators.ts";

const W3C = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const XRAY = { trace: "5759e988bd862e3fe1be46a994272793", span: "53995c3f42cd8ad8" };
const LAMBDA = { trace: "6759e988bd862e3fe1be46a994272793", span: "63995c3f42cd8ad8" };
const B3 = { trace: "80f198ee56343ba864fe8b2a57d3eff7", span: "e457b5a2e4d86bd1" };

const traceparent = `00-${W3C.trace}-${W3C.span}-01`;
const b3 = `${B3.trace}-${B3.span}-1`;

function xrayHeader(ids: typeof XRAY, rest = ";Sampled=1"): string {
  return `Root=1-${ids.trace.slice(0, 8)}-${ids.trace.slice(8)};Parent=${ids.span}${rest}`;
}

type Carrier = Record<string, unknown>;

function extractAll(names: PropagatorName[], carrier: Carrier, lambdaHeader?: string): Context {
  const { invocation } = createPropagators(names, () => lambdaHeader);
  return invocation.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
}

function extract(
  names: PropagatorName[],
  carrier: Carrier,
  lambdaHeader?: string,
): SpanContext | undefined {
  return trace.getSpanContext(extractAll(names, carrier, lambdaHeader));
}

function inject(names: PropagatorName[], ctx: Context, carrier: Carrier = {}): Carrier {
  createPropagators(names, () => undefined).carrier.inject(ctx, carrier, defaultTextMapSetter);
  return carrier;
}

const active = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: W3C.trace,
  spanId: W3C.span,
  traceFlags: TraceFlags.SAMPLED,
});

describe("each format is read and written", () => {
  const rows: readonly [PropagatorName, Carrier, ids: typeof XRAY, written: string[]][] = [
    ["tracecontext", { traceparent }, W3C, ["traceparent"]],
    ["xray", { "x-amzn-trace-id": xrayHeader(XRAY) }, XRAY, ["x-amzn-trace-id"]],
    ["xray-lambda", { "x-amzn-trace-id": xrayHeader(XRAY) }, XRAY, ["x-amzn-trace-id"]],
    ["b3", { b3 }, B3, ["b3"]],
    ["b3", { "x-b3-traceid": B3.trace, "x-b3-spanid": B3.span, "x-b3-sampled": "1" }, B3, ["b3"]],
    ["b3multi", { b3 }, B3, ["x-b3-sampled", "x-b3-spanid", "x-b3-traceid"]],
  ];
  test.each(rows)("%s from %o", (name, carrier, ids, written) => {
    expect(extract([name], carrier)).toMatchObject({
      traceId: ids.trace,
      spanId: ids.span,
      traceFlags: TraceFlags.SAMPLED,
      isRemote: true,
    });
    expect(Object.keys(inject([name], active)).sort()).toEqual(written);
  });

  test("without a format nothing is read or written", () => {
    expect(extract([], { traceparent })).toBeUndefined();
    expect(inject([], active)).toEqual({});
  });
});

describe("of several spans in one carrier the earlier format's wins", () => {
  const carrier = { traceparent, b3, "x-amzn-trace-id": xrayHeader(XRAY), baggage: "k=v" };
  test.each([
    [["tracecontext", "baggage", "xray"], W3C],
    [["xray", "tracecontext", "baggage"], XRAY],
    [["b3", "baggage", "xray", "tracecontext"], B3],
    [["baggage", "tracecontext", "b3"], W3C],
  ] as [PropagatorName[], typeof XRAY][])("%o", (names, ids) => {
    const ctx = extractAll(names, carrier);
    expect(trace.getSpanContext(ctx)).toMatchObject({ traceId: ids.trace, spanId: ids.span });
    expect(propagation.getBaggage(ctx)?.getEntry("k")?.value).toBe("v");
  });

  test("a broken earlier header leaves the choice to the later one", () => {
    const broken = { ...carrier, traceparent: "00-zz-1-01" };
    expect(extract(["tracecontext", "xray"], broken)?.traceId).toBe(XRAY.trace);
  });

  test("a span that was active before the extraction does not count as found", () => {
    const { carrier: propagator } = createPropagators(["tracecontext", "xray"], () => undefined);
    const headers = { "x-amzn-trace-id": xrayHeader(XRAY) };
    const ctx = propagator.extract(active, headers, defaultTextMapGetter);
    expect(trace.getSpanContext(ctx)?.traceId).toBe(XRAY.trace);
    const untouched = propagator.extract(active, {}, defaultTextMapGetter);
    expect(untouched).toBe(active);
  });
});

describe("xray-lambda", () => {
  const header = xrayHeader(LAMBDA);
  const event = { "x-amzn-trace-id": xrayHeader(XRAY) };

  test("Lambda's header beats the event's", () => {
    expect(extract(["xray-lambda"], event, header)?.spanId).toBe(LAMBDA.span);
  });

  test("Lambda's header alone is enough", () => {
    expect(extract(["tracecontext", "xray-lambda"], {}, header)?.traceId).toBe(LAMBDA.trace);
  });

  test("a traceparent found earlier in the list beats both", () => {
    const carrier = { ...event, traceparent };
    expect(extract(["tracecontext", "xray-lambda"], carrier, header)?.spanId).toBe(W3C.span);
  });

  test.each([undefined, "", "Root=1-zz", xrayHeader(LAMBDA, ""), xrayHeader(LAMBDA, ";Sampled=?")])(
    "without a usable header (%s) the event's stays",
    (unusable) => {
      expect(extract(["xray-lambda"], event, unusable)?.spanId).toBe(XRAY.span);
    },
  );

  test("Sampled=0 is a decision too", () => {
    const unsampled = xrayHeader(LAMBDA, ";Sampled=0");
    expect(extract(["xray-lambda"], {}, unsampled)?.traceFlags).toBe(TraceFlags.NONE);
  });

  test("plain xray never asks for Lambda's header", () => {
    expect(extract(["xray"], {}, header)).toBeUndefined();
  });

  test("a message knows nothing of Lambda's header", () => {
    const { carrier } = createPropagators(["xray-lambda"], () => header);
    const read = (message: Carrier) =>
      trace.getSpanContext(carrier.extract(ROOT_CONTEXT, message, defaultTextMapGetter));
    expect(read({})).toBeUndefined();
    expect(read(event)?.spanId).toBe(XRAY.span);
  });

  test("the header is read anew for each invocation", () => {
    const headers = [xrayHeader(LAMBDA), xrayHeader(XRAY)];
    const { invocation } = createPropagators(["xray-lambda"], () => headers.shift());
    const read = () =>
      trace.getSpanContext(invocation.extract(ROOT_CONTEXT, {}, defaultTextMapGetter))?.spanId;
    expect([read(), read(), read()]).toEqual([LAMBDA.span, XRAY.span, undefined]);
  });
});

describe("Lineage", () => {
  const lineage = "Lineage=a87bd80c:1|68fd508a:5";
  const headers = { "x-amzn-trace-id": xrayHeader(XRAY, `;Sampled=1;${lineage}`) };

  test.each([
    ["of the event", ["xray"], headers, undefined],
    ["of Lambda's header", ["xray-lambda"], {}, headers["x-amzn-trace-id"]],
    [
      "beside a traceparent that wins",
      ["tracecontext", "xray"],
      { ...headers, traceparent },
      undefined,
    ],
  ] as [string, PropagatorName[], Carrier, string | undefined][])(
    "%s is forwarded with the new parent",
    (_, names, carrier, lambdaHeader) => {
      const ctx = trace.setSpanContext(extractAll(names, carrier, lambdaHeader), {
        traceId: XRAY.trace,
        spanId: "1".repeat(16),
        traceFlags: TraceFlags.SAMPLED,
      });
      expect(inject(names, ctx)["x-amzn-trace-id"]).toBe(
        `${xrayHeader({ ...XRAY, span: "1".repeat(16) })};${lineage}`,
      );
    },
  );

  test.each([["xray"], ["xray-lambda"]] as [PropagatorName][])(
    "is that of Lambda's own header before the event's, by %s",
    (name) => {
      const own = "Lineage=a87bd80c:2|68fd508a:5";
      const { carrier, invocation } = createPropagators([name], () =>
        xrayHeader(LAMBDA, `;Sampled=0;${own}`),
      );
      const ctx = invocation.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
      const written: Carrier = {};
      carrier.inject(ctx, written, defaultTextMapSetter);
      expect(String(written["x-amzn-trace-id"]).endsWith(`;${own}`)).toBe(true);
    },
  );

  test("is not made up where there was none", () => {
    expect(inject(["xray"], active)["x-amzn-trace-id"]).toBe(xrayHeader(W3C));
  });
});

describe("letter case", () => {
  test.each([
    [{ Traceparent: traceparent }],
    [{ TRACEPARENT: [traceparent] }],
    [Object.assign(Object.create(null), { TraceParent: traceparent })],
  ])("does not matter to the default getter in %o", (carrier) => {
    expect(extract(["tracecontext"], carrier)?.spanId).toBe(W3C.span);
  });

  test("a second spelling of a header is replaced, not added", () => {
    const carrier = { Traceparent: "old", traceParent: "older", other: "kept" };
    expect(inject(["tracecontext"], active, carrier)).toEqual({ traceparent, other: "kept" });
  });

  test("only plain objects are cleared of other spellings", () => {
    const headers = new Headers({ Traceparent: "old" });
    const { carrier } = createPropagators(["tracecontext"], () => undefined);
    carrier.inject(active, headers, { set: (target, key, value) => target.set(key, value) });
    expect([...headers]).toEqual([["traceparent", traceparent]]);
  });

  test("nothing but strings and lists of strings is a value", () => {
    expect(anyCaseGetter.get({ a: 1 }, "a")).toBeUndefined();
    expect(anyCaseGetter.get({ A: ["x", 1] }, "a")).toEqual(["x"]);
    expect(anyCaseGetter.get(undefined, "a")).toBeUndefined();
    expect(anyCaseGetter.keys("text")).toEqual([]);
  });
});

test("no carrier and no header makes an extraction throw", () => {
  const names: PropagatorName[] = ["tracecontext", "baggage", "xray-lambda", "b3"];
  const header = fc.oneof(fc.string(), fc.constantFrom(traceparent, b3, xrayHeader(XRAY)));
  const key = fc.constantFrom(
    "traceparent",
    "Traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-amzn-trace-id",
  );
  const carrier = fc.oneof(fc.anything(), fc.dictionary(key, fc.oneof(header, fc.anything())));
  fc.assert(
    fc.property(carrier, header, (value, lambdaHeader) => {
      expect(extractAll(names, value as Carrier, lambdaHeader)).toBeDefined();
    }),
    { numRuns: 500 },
  );
});

test("a carrier that throws leaves the context as it was, and is reported once", () => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const hostile = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error("closed");
      },
    },
  );
  const { carrier } = createPropagators(["tracecontext", "xray"], () => undefined);
  expect(carrier.extract(active, hostile, defaultTextMapGetter)).toBe(active);
  expect(carrier.extract(active, hostile, defaultTextMapGetter)).toBe(active);
  carrier.inject(active, hostile, defaultTextMapSetter);
  expect(written.mock.calls.map(([line]) => line)).toEqual([
    "coldspan: could not extract a context: closed\n",
    "coldspan: could not inject a context: closed\n",
  ]);
});
