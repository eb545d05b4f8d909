/** Received spans as trees for the terminal. */
import { styleText } from "node:util";
import type { ReceivedSpan, SpanKindName } from "./received-span.ts";
import {
  describeError,
  describeLink,
  describeNotes,
  formatDuration,
  serviceOf,
} from "./span-summary.ts";
import { cut, isolate, measure, neutralizeLine } from "./terminal-text.ts";
import { growTraces, type Trace, type TreeNode } from "./trace-forest.ts";

export interface RenderOptions {
  /** ANSI colours; the caller knows whether it writes to a terminal and whether `NO_COLOR` is set. */
  readonly color: boolean;
  /** Columns of the terminal; default 100, at least 60. */
  readonly width?: number;
}

type Format = Parameters<typeof styleText>[0];

const DEFAULT_WIDTH = 100;
const MIN_WIDTH = 60;
const MARGIN = "  ";
/** Columns per level of the tree. */
const INDENT = 3;
const DURATION_COLUMNS = 8;
/** Deeper spans are drawn at this depth. */
const MAX_DEPTH = 10;
/** Notes shorter than this say nothing. */
const MIN_NOTE_COLUMNS = 6;
const MAX_LINKS_SHOWN = 5;

const KIND_FORMATS: Readonly<Record<SpanKindName, Format>> = {
  UNSPECIFIED: "dim",
  INTERNAL: "dim",
  SERVER: "green",
  CLIENT: "cyan",
  PRODUCER: "magenta",
  CONSUMER: "yellow",
};

/**
 * Draws one block per trace: its roots, children by start time, links, errors, parents that are missing.
 * Pure; lines never exceed the width, and nothing a span is called can steer the terminal.
 */
export function renderTraces(spans: readonly ReceivedSpan[], options: RenderOptions): string {
  const width = Math.max(MIN_WIDTH, options.width ?? DEFAULT_WIDTH);
  const paint = options.color
    ? (format: Format, text: string) => text && styleText(format, text, { validateStream: false })
    : (_: Format, text: string) => text;
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const blocks = growTraces(spans).map((trace) =>
    renderTrace(trace, { width, paint, byId }).join("\n"),
  );
  return blocks.length === 0 ? "" : `${blocks.join("\n\n")}\n`;
}

interface Canvas {
  readonly width: number;
  readonly paint: (format: Format, text: string) => string;
  readonly byId: ReadonlyMap<string, ReceivedSpan>;
}

/** A tree line before its columns are known. */
interface Row {
  readonly node: TreeNode;
  readonly service: string | undefined;
  /** Lines of the tree up to the node itself. */
  readonly prefix: string;
  /** The same for what is written below the node. */
  readonly below: string;
}

function renderTrace(trace: Trace, canvas: Canvas): string[] {
  const rows = layOut(trace.roots);
  const leftColumns = Math.max(
    ...rows.map(({ node, prefix }) => prefix.length + measure(label(node))),
  );
  const nameEnd = Math.min(leftColumns, canvas.width - MARGIN.length - DURATION_COLUMNS - 1);
  return [
    renderTitle(trace, canvas),
    "",
    ...rows.flatMap((row) => [renderRow(row, nameEnd, canvas), ...renderDetails(row, canvas)]),
  ];
}

function renderTitle(
  { traceId, spans, startTimeUnixNano, endTimeUnixNano }: Trace,
  canvas: Canvas,
) {
  const { length } = spans;
  const count = `${length} span${length === 1 ? "" : "s"}`;
  const facts = `${count} · ${formatDuration(startTimeUnixNano, endTimeUnixNano)}`;
  return `${canvas.paint("bold", `trace ${traceId}`)}  ${canvas.paint("dim", facts)}`;
}

/** Flattens the trees in reading order. A stack, not recursion: a chain of spans may be very long. */
function layOut(roots: readonly TreeNode[]): Row[] {
  const rows: Row[] = [];
  const open = roots
    .toReversed()
    .map((node): Row => ({ node, service: undefined, prefix: "", below: "" }));
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    rows.push(row);
    const { node, below } = row;
    const service = node.span === undefined ? row.service : serviceOf(node.span);
    const last = node.children.at(-1);
    const stem = below.slice(0, (MAX_DEPTH - 1) * INDENT);
    for (const child of node.children.toReversed()) {
      const [branch, trunk] = child === last ? ["└─ ", "   "] : ["├─ ", "│  "];
      open.push({ node: child, service, prefix: stem + branch, below: stem + trunk });
    }
  }
  return rows;
}

function label({ span, spanId }: TreeNode): string {
  if (span === undefined) return `parent ${spanId} did not arrive`;
  return `${span.kind} ${neutralizeLine(span.name)}`;
}

function renderRow({ node, prefix, service }: Row, nameEnd: number, canvas: Canvas): string {
  const { span } = node;
  const { paint, width } = canvas;
  const text = cut(label(node), nameEnd - prefix.length);
  const start = MARGIN + paint("dim", prefix);
  if (span === undefined) return start + paint("yellow", text);
  const gap = " ".repeat(Math.max(0, nameEnd - prefix.length - measure(text)));
  const duration = formatDuration(span.startTimeUnixNano, span.endTimeUnixNano);
  const notes = describeNotes(span, service).map(neutralizeLine).join(" · ");
  const noteColumns = width - MARGIN.length - nameEnd - DURATION_COLUMNS - 3;
  const shownNotes = noteColumns < MIN_NOTE_COLUMNS ? "" : cut(notes, noteColumns);
  const end = shownNotes === "" ? "" : `  ${paint("dim", isolate(shownNotes))}`;
  return `${start}${paintLabel(span, text, paint)}${gap} ${duration.padStart(DURATION_COLUMNS)}${end}`;
}

function paintLabel({ kind, status }: ReceivedSpan, text: string, paint: Canvas["paint"]): string {
  const name = isolate(text.slice(kind.length + 1));
  const painted = status.code === "ERROR" ? paint("red", name) : name;
  return `${paint(KIND_FORMATS[kind], text.slice(0, kind.length))} ${painted}`;
}

function renderDetails({ node, below }: Row, { width, paint, byId }: Canvas): string[] {
  const { span, children } = node;
  if (span === undefined) return [];
  const bar = `${below}${children.length === 0 ? "  " : "│ "}`;
  const room = width - MARGIN.length - bar.length - 2;
  const line = (format: Format, sign: string, text: string) =>
    `${MARGIN}${paint("dim", bar)}${paint(format, `${sign} ${isolate(cut(neutralizeLine(text), room))}`)}`;
  const links = span.links
    .slice(0, MAX_LINKS_SHOWN)
    .map((link) => line("dim", "⇠", describeLink(link, span, byId)));
  const unshown = span.links.length + span.droppedLinksCount - links.length;
  if (unshown > 0) links.push(line("dim", "⇠", `… and ${unshown} more links`));
  const error = describeError(span);
  return error === undefined ? links : [...links, line("red", "✖", error)];
}
