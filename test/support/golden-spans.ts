/** Exported spans as golden files hold them: all of a span but what differs from run to run. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AttributeRecord, ReceivedSpan } from "../../src/dev/received-span.ts";

const GOLDEN = new URL("../fixtures/golden/spans/", import.meta.url);

/** Set to rewrite the golden files; read the difference before it is committed. */
const UPDATES = process.env.UPDATE_GOLDEN === "1";

/** Attributes whose value is a measurement or names this machine's files. */
const VARYING: Readonly<Record<string, string>> = {
  "coldspan.message.queue_time_ms": "<ms>",
  "exception.stacktrace": "<stack>",
};

/** Names of the golden files, without their endings. */
export function goldenNames(): string[] {
  return readdirSync(GOLDEN)
    .map((name) => name.replace(".golden.json", ""))
    .sort();
}

export function readGolden(name: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(new URL(`${name}.golden.json`, GOLDEN), "utf8"));
}

/** Writes the golden file anew when the run was asked to. */
export function rewriteGolden(name: string, actual: unknown): void {
  if (!UPDATES) return;
  writeFileSync(new URL(`${name}.golden.json`, GOLDEN), `${JSON.stringify(actual, null, 2)}\n`);
}

/**
 * Spans in their order of export, ids of this run replaced by what they stand for: `invocation`,
 * `batch 1`, `record 2`. Ids that came with the event stay.
 */
export function normalise(spans: readonly ReceivedSpan[]): unknown {
  const spanNames = nameSpans(spans);
  const traceNames = nameTraces(spans);
  const place = (traceId: string, spanId: string) =>
    `${traceNames.get(traceId) ?? traceId} / ${spanNames.get(spanId) ?? spanId}`;
  return spans.map((span) => ({
    span: place(span.traceId, span.spanId),
    parent: span.parentSpanId === undefined ? null : place(span.traceId, span.parentSpanId),
    name: span.name,
    kind: span.kind,
    flags: span.flags,
    traceState: span.traceState,
    attributes: plainAttributes(span.attributes),
    links: span.links.map((link) => ({
      to: place(link.traceId, link.spanId),
      flags: link.flags,
      traceState: link.traceState,
      attributes: plainAttributes(link.attributes),
    })),
    events: span.events.map(({ name, attributes }) => ({
      name,
      attributes: plainAttributes(attributes),
    })),
    status: span.status,
  }));
}

function nameSpans(spans: readonly ReceivedSpan[]): ReadonlyMap<string, string> {
  const counts = { batch: 0, record: 0, other: 0 };
  return new Map(
    spans.map((span) => {
      if (span.kind === "SERVER") return [span.spanId, "invocation"];
      const kind = kindOf(span);
      return [span.spanId, `${kind} ${++counts[kind]}`];
    }),
  );
}

function kindOf({ kind, attributes }: ReceivedSpan): "batch" | "record" | "other" {
  if (kind !== "CONSUMER") return "other";
  return "messaging.batch.message_count" in attributes ? "batch" : "record";
}

/** A trace that a span of ours began, rather than a caller or a producer. */
function nameTraces(spans: readonly ReceivedSpan[]): ReadonlyMap<string, string> {
  const begun = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  const traceIds = [...new Set(begun.map(({ traceId }) => traceId))];
  return new Map(traceIds.map((id, index) => [id, index === 0 ? "new" : `new ${index + 1}`]));
}

function plainAttributes(attributes: AttributeRecord): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(attributes)
      .sort()
      .map((name) => [name, VARYING[name] ?? attributes[name]]),
  );
}
