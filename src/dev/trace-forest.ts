/** Spans put in order for reading: traces, their roots, children by start time. */
import type { ReceivedSpan } from "./received-span.ts";

/** One line of a tree: a span, or the place of a parent that did not arrive. */
export interface TreeNode {
  /** Absent for a parent that did not arrive. */
  readonly span: ReceivedSpan | undefined;
  readonly spanId: string;
  readonly children: readonly TreeNode[];
}

export interface Trace {
  readonly traceId: string;
  readonly spans: readonly ReceivedSpan[];
  readonly roots: readonly TreeNode[];
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
}

/**
 * Groups spans by trace. Traces whose messages others link to come first (the producer's before the
 * consumer's, even when the consumer's process is older); otherwise the earlier one does.
 */
export function growTraces(spans: readonly ReceivedSpan[]): readonly Trace[] {
  const byTrace = Map.groupBy(spans, ({ traceId }) => traceId);
  const sentAt = findLinkedProducers(spans);
  return [...byTrace]
    .map(([traceId, members]) => growTrace(traceId, members))
    .sort(
      (a, b) =>
        compare(sentAt.get(a.traceId) ?? Infinity, sentAt.get(b.traceId) ?? Infinity) ||
        compare(a.startTimeUnixNano, b.startTimeUnixNano),
    );
}

/** By trace id: start of its first PRODUCER span that another trace links to. */
function findLinkedProducers(spans: readonly ReceivedSpan[]): Map<string, bigint> {
  const linked = new Set(
    spans.flatMap(({ traceId, links }) =>
      links.filter((link) => link.traceId !== traceId).map(({ spanId }) => spanId),
    ),
  );
  const sentAt = new Map<string, bigint>();
  for (const { traceId, spanId, kind, startTimeUnixNano } of spans) {
    if (kind !== "PRODUCER" || !linked.has(spanId)) continue;
    const earliest = sentAt.get(traceId);
    if (earliest === undefined || startTimeUnixNano < earliest) {
      sentAt.set(traceId, startTimeUnixNano);
    }
  }
  return sentAt;
}

function growTrace(traceId: string, members: readonly ReceivedSpan[]): Trace {
  const spans = members.toSorted((a, b) => compare(a.startTimeUnixNano, b.startTimeUnixNano));
  return {
    traceId,
    spans,
    roots: growRoots(spans),
    startTimeUnixNano: spans[0]?.startTimeUnixNano ?? 0n,
    endTimeUnixNano: spans.reduce((end, span) => max(end, span.endTimeUnixNano), 0n),
  };
}

interface GrowingNode extends TreeNode {
  readonly children: GrowingNode[];
}

function growRoots(spans: readonly ReceivedSpan[]): TreeNode[] {
  const nodes = spans.map((span) => ({ span, spanId: span.spanId, children: [] }) as GrowingNode);
  // Of two spans with one id the first has the children; the second is still shown.
  const byId = new Map(nodes.toReversed().map((node) => [node.spanId, node]));
  const cut = findCircles(nodes, byId);
  const roots: GrowingNode[] = [];
  for (const node of nodes) {
    const parentId = node.span?.parentSpanId;
    if (parentId === undefined || cut.has(node.spanId)) {
      roots.push(node);
      continue;
    }
    const parent = byId.get(parentId) ?? { span: undefined, spanId: parentId, children: [] };
    if (!byId.has(parentId)) {
      byId.set(parentId, parent);
      roots.push(parent);
    }
    parent.children.push(node);
  }
  return roots;
}

/** One span id of every circle of parents: no sender should make one and no reader should hang on it. */
function findCircles(
  nodes: readonly TreeNode[],
  byId: ReadonlyMap<string, TreeNode>,
): ReadonlySet<string> {
  const settled = new Set<string>();
  const circles = new Set<string>();
  for (const { spanId } of nodes) {
    const path = new Set<string>();
    let id: string | undefined = spanId;
    while (id !== undefined && !settled.has(id) && !path.has(id)) {
      path.add(id);
      id = byId.get(id)?.span?.parentSpanId;
    }
    if (id !== undefined && path.has(id)) circles.add(id);
    for (const passed of path) settled.add(passed);
  }
  return circles;
}

function compare(a: bigint | number, b: bigint | number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
