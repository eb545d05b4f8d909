/** Received spans as one HTML file: a waterfall per trace, every attribute behind a click. */
import type { AttributeRecord, ReceivedSpan } from "./received-span.ts";
import {
  describeError,
  describeLink,
  describeNotes,
  formatDuration,
  serviceOf,
} from "./span-summary.ts";
import { neutralize } from "./terminal-text.ts";
import { growTraces, type Trace, type TreeNode } from "./trace-forest.ts";
import { TRACE_PAGE_STYLE } from "./trace-page-style.ts";

/** No script runs and nothing is loaded, whatever a span is called. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";
/** Deeper spans are drawn at this depth. */
const MAX_DEPTH = 16;
const MAX_LINKS_SHOWN = 100;

/** Makes a self-contained page of all traces, the producer's first. Pure. */
export function renderTracePage(spans: readonly ReceivedSpan[], title: string): string {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const traces = growTraces(spans).map((trace) => renderTrace(trace, byId));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeText(title)}</title>
<style>${TRACE_PAGE_STYLE}</style>
<h1>${escapeText(title)}</h1>
${traces.length === 0 ? "<p>No spans arrived." : traces.join("\n")}
</html>
`;
}

interface Row {
  readonly node: TreeNode;
  readonly depth: number;
  readonly service: string | undefined;
}

type SpansById = ReadonlyMap<string, ReceivedSpan>;

function renderTrace(trace: Trace, byId: SpansById): string {
  const { traceId, spans, startTimeUnixNano, endTimeUnixNano } = trace;
  const took = formatDuration(startTimeUnixNano, endTimeUnixNano);
  const facts = `${spans.length} span${spans.length === 1 ? "" : "s"} · ${took}`;
  const rows = layOut(trace.roots).map((row) => renderRow(row, trace, byId));
  return `<section>\n<h2>trace ${escapeText(traceId)}<small>${facts}</small></h2>\n${rows.join("\n")}\n</section>`;
}

/** Flattens the trees in reading order, without recursion: a chain of spans may be very long. */
function layOut(roots: readonly TreeNode[]): Row[] {
  const rows: Row[] = [];
  const open = roots.toReversed().map((node): Row => ({ node, depth: 0, service: undefined }));
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    rows.push(row);
    const service = row.node.span === undefined ? row.service : serviceOf(row.node.span);
    const depth = Math.min(row.depth + 1, MAX_DEPTH);
    for (const node of row.node.children.toReversed()) open.push({ node, depth, service });
  }
  return rows;
}

function renderRow({ node, depth, service }: Row, trace: Trace, byId: SpansById): string {
  const { span } = node;
  const place = `style="--depth:${depth}"`;
  if (span === undefined) {
    return `<div class="lost" ${place}><span class="name">parent ${escapeText(node.spanId)} did not arrive</span></div>`;
  }
  const hasFailed = span.status.code === "ERROR";
  const notes = escapeText(describeNotes(span, service).join(" · "));
  const took = formatDuration(span.startTimeUnixNano, span.endTimeUnixNano);
  return `<details class="${span.kind}${hasFailed ? " failed" : ""}" ${place}${hasFailed ? " open" : ""}>
<summary><span class="name"><span class="kind">${span.kind}</span><bdi>${escapeText(span.name)}</bdi><span class="notes">${notes}</span></span><span class="lane"><span class="bar" style="${placeBar(span, trace)}"></span></span><span class="took">${took}</span></summary>
<dl>${describeSpan(span, byId).map(renderFact).join("")}</dl>
</details>`;
}

/** Where a span's bar lies in its trace's lane, in percent. */
function placeBar(span: ReceivedSpan, { startTimeUnixNano, endTimeUnixNano }: Trace): string {
  const total = Math.max(1, Number(endTimeUnixNano - startTimeUnixNano));
  const left = Number(span.startTimeUnixNano - startTimeUnixNano) / total;
  const width = Math.max(0, Number(span.endTimeUnixNano - span.startTimeUnixNano)) / total;
  return `left:${(left * 100).toFixed(3)}%;width:${(width * 100).toFixed(3)}%`;
}

type Fact = readonly [term: string, description: string];

function describeSpan(span: ReceivedSpan, byId: SpansById): Fact[] {
  const error = describeError(span);
  const links = span.links.slice(0, MAX_LINKS_SHOWN);
  const unshown = span.links.length + span.droppedLinksCount - links.length;
  return [
    ...(error === undefined ? [] : [["error", error] as const]),
    ["span", span.spanId],
    ["service", serviceOf(span)],
    ...links.map((link) => ["link", describeLink(link, span, byId)] as const),
    ...(unshown > 0 ? [["link", `… and ${unshown} more`] as const] : []),
    ...describeAttributes(span.attributes),
    ...span.events.flatMap(({ name, attributes }): Fact[] => [
      ["event", name],
      ...describeAttributes(attributes),
    ]),
  ];
}

function describeAttributes(attributes: AttributeRecord): Fact[] {
  return Object.entries(attributes).map(([key, value]) => [key, describeValue(value)]);
}

function describeValue(value: AttributeRecord[string]): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}` : part));
}

function renderFact([term, description]: Fact): string {
  return `<dt>${escapeText(term)}</dt><dd>${escapeLines(description)}</dd>`;
}

/** Foreign text: no markup, no control characters. */
function escapeText(text: string): string {
  return neutralize(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** The same with its line breaks, for stack traces and structured values. */
function escapeLines(text: string): string {
  return text.split("\n").map(escapeText).join("\n");
}
