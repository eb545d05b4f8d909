/** Whatever the event, the context and the handler: wrapped it does what it does bare, and is traced in full. */
import { defaultTextMapGetter, ROOT_CONTEXT } from "@opentelemetry/api";
import { AlwaysOnSampler, type ReadableSpan, TracerProvider } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createPropagators } from "../../src/sdk/propagators.ts";
import { withTracing } from "../../src/trace/handler.ts";
import { describeEvent } from "../../src/trace/sources.ts";
import { anyContext, anyEvent, grown } from "../support/hostile-events.ts";
import { handlerOf, type Program, program, type Run } from "../support/loop-programs.ts";
import { startTraced } from "../support/traced.ts";

const started: string[] = [];
const ended: ReadableSpan[] = [];

const provider = new TracerProvider({
  // Also what a caller did not sample is counted.
  sampler: new AlwaysOnSampler(),
  spanLimits: { linkCountLimit: 100_000 },
  spanProcessors: [
    {
      onStart: (span) => void started.push(span.spanContext().spanId),
      onEnd: (span) => void ended.push(span),
      forceFlush: async () => {},
      shutdown: async () => {},
    },
  ],
});
const formats = createPropagators(
  ["tracecontext", "baggage", "b3", "b3multi", "xray-lambda"],
  () => undefined,
);
const traced = startTraced({
  tracer: provider.getTracer("coldspan"),
  extract: (base, carrier) => formats.invocation.extract(base, carrier, defaultTextMapGetter),
  extractMessage: (carrier) => formats.carrier.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter),
});

const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);

beforeEach(() => {
  traced.reset();
  started.length = 0;
  ended.length = 0;
});

afterAll(() => written.mockRestore());

interface Settled {
  readonly isSync: boolean;
  readonly outcome: "returned" | "threw";
  readonly value: unknown;
}

async function settle(call: () => unknown): Promise<Settled> {
  let isSync = true;
  try {
    const result = call();
    isSync = !(result instanceof Promise);
    return { isSync, outcome: "returned", value: await result };
  } catch (value) {
    return { isSync, outcome: "threw", value };
  }
}

/** Runs a program over an event and waits until nothing of it is left. */
async function perform(
  { wrap, event, lambda }: { wrap: boolean; event: unknown; lambda: unknown },
  script: Program,
) {
  const run: Run = { log: [], produced: undefined, left: [] };
  const bare: (event: unknown, lambda: unknown) => unknown = handlerOf(script, run);
  const handler = wrap ? withTracing(bare) : bare;
  const settled = await settle(() => handler(event, lambda));
  await Promise.allSettled(run.left);
  return { run, settled };
}

/** Invocation, batches and records: what the event's description promises. */
function expectedSpans(event: unknown): number {
  const { batches = [] } = describeEvent(event).description;
  const records = batches.flatMap(({ arrays, owns }) =>
    arrays.flat().filter((record) => owns?.(record) ?? true),
  );
  return 1 + batches.length + records.length;
}

function expectSoundSpans(): void {
  const ids = ended.map((span) => span.spanContext().spanId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.sort()).toEqual([...started].sort());
  for (const { name, attributes } of ended) {
    expect(name).toBeTypeOf("string");
    expect(name).not.toBe("");
    for (const value of Object.values(attributes)) {
      expect(["string", "number", "boolean"]).toContain(typeof value);
    }
  }
}

describe("a wrapped handler", () => {
  it("does and answers what it does bare, and every record gets one span that ends once", async () => {
    await fc.assert(
      fc.asyncProperty(anyEvent, anyContext, program, async (sent, lambda, script) => {
        started.length = 0;
        ended.length = 0;
        const promised = expectedSpans(sent);
        const [event, own] = [structuredClone(sent), structuredClone(sent)];
        const bare = await perform({ wrap: false, event: own, lambda }, script);
        const wrapped = await perform({ wrap: true, event, lambda }, script);

        expect(wrapped.settled.isSync).toBe(bare.settled.isSync);
        expect(wrapped.settled.outcome).toBe(bare.settled.outcome);
        expect(Object.is(wrapped.settled.value, wrapped.run.produced)).toBe(true);
        expect(wrapped.run.log).toEqual(bare.run.log);
        expect(event).toStrictEqual(own);
        expect(structuredClone(event)).toStrictEqual(structuredClone(own));
        expect(JSON.stringify(event)).toBe(JSON.stringify(own));
        expect(ended).toHaveLength(promised);
        expectSoundSpans();
      }),
      { numRuns: 300 },
    );
    const lines = written.mock.calls.flat().join("");
    expect(lines).not.toMatch(/untraced|tracing failed|could not be described/);
  });

  it("does so with as many records as fit an event, and each still gets its span", async () => {
    const isQuick = ({ steps }: Program) => steps.length < 3;
    await fc.assert(
      fc.asyncProperty(grown, program.filter(isQuick), async (event, script) => {
        started.length = 0;
        ended.length = 0;
        const promised = expectedSpans(event);
        const bare = await perform({ wrap: false, event, lambda: {} }, script);
        const before = JSON.stringify(event);
        const wrapped = await perform({ wrap: true, event, lambda: {} }, script);
        expect(wrapped.settled.outcome).toBe(bare.settled.outcome);
        expect(Object.is(wrapped.settled.value, wrapped.run.produced)).toBe(true);
        if (!script.steps.some((step) => step.kind === "look" && step.how === "sort")) {
          expect(JSON.stringify(event) === before).toBe(true);
        }
        expect(ended).toHaveLength(promised);
        expect(new Set(ended.map((span) => span.spanContext().spanId)).size).toBe(promised);
      }),
      { numRuns: 3, endOnFailure: true },
    );
  });
});
