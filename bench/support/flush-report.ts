/** Flushes as tables: latency, and CPU time per span from its start to its delivery. */
import type { FlushRow } from "./flush-measure.ts";
import { describeHeader } from "./header-report.ts";
import type { Header } from "./results.ts";
import { median } from "./statistics.ts";
import { formatNumber, renderTable } from "./table.ts";

const MICROS_PER_MS = 1e3;
const PERCENT = 100;

export interface FlushResults extends Header {
  readonly rows: readonly FlushRow[];
}

export function describeFlushes(results: FlushResults): string {
  const { rows } = results;
  return [
    "# Flush",
    describeHeader(results),
    "A warm process ends the spans at once and flushes them to a collector on loopback.",
    "## End of the last span to the end of the flush, ms",
    sizeTable(rows, ({ flushMs }) => formatNumber(median(flushMs))),
    "## CPU time per span delivered, from its start, µs",
    sizeTable(rows, ({ cpuMs, spans, received }) =>
      formatNumber((median(cpuMs) / (spans * received)) * MICROS_PER_MS),
    ),
    "## Spans received",
    sizeTable(rows, ({ received }) => `${formatNumber(Math.round(received * PERCENT))} %`),
  ].join("\n\n");
}

function sizeTable(rows: readonly FlushRow[], cell: (row: FlushRow) => string): string {
  const byContestant = Map.groupBy(rows, ({ contestant }) => contestant);
  const [first = []] = byContestant.values();
  const header = first.map(
    ({ spans }) => `${spans.toLocaleString("en")} span${spans > 1 ? "s" : ""}`,
  );
  return renderTable(
    ["", ...header],
    [...byContestant].map(([contestant, own]) => [contestant, ...own.map(cell)]),
  );
}
