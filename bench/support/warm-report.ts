/** Warm invocations as tables: what tracing adds to the response and to the CPU bill. */
import { describeHeader } from "./header-report.ts";
import type { Header } from "./results.ts";
import { BARE } from "./setup.ts";
import { nameOf } from "./setups.ts";
import { fitLine, median } from "./statistics.ts";
import { formatDifference, formatNumber, renderTable } from "./table.ts";
import type { WarmRow } from "./warm-measure.ts";

const MICROS_PER_MS = 1e3;

export interface WarmResults extends Header {
  readonly rows: readonly WarmRow[];
}

export function describeWarm(results: WarmResults): string {
  const { rows } = results;
  return [
    "# Warm invocations",
    describeHeader(results),
    "Differences to the bare function in the same minute: medians of interleaved blocks.",
    "## Added to the response, ms",
    addedTable(rows, "responseMs"),
    "## Added CPU time per invocation, ms",
    addedTable(rows, "cpuMs"),
    "## CPU time per record",
    recordTable(rows),
    "## Spans (links) received per invocation",
    spansTable(rows),
  ].join("\n\n");
}

/** The median over the blocks of what this row has above the bare one in the same block. */
export function addedWarm(
  row: WarmRow,
  rows: readonly WarmRow[],
  metric: "responseMs" | "cpuMs",
): number {
  const bare = rows.find((other) => other.setup === BARE.id && isSamePayload(other, row));
  return median(row[metric].map((value, block) => value - (bare?.[metric][block] ?? Number.NaN)));
}

function addedTable(rows: readonly WarmRow[], metric: "responseMs" | "cpuMs"): string {
  return payloadTable(rows, (row) =>
    row.setup === BARE.id
      ? `${formatNumber(median(row[metric]))} in all`
      : formatDifference(addedWarm(row, rows, metric)),
  );
}

function spansTable(rows: readonly WarmRow[]): string {
  return payloadTable(rows, ({ spans, links }) =>
    links === 0 ? formatNumber(spans) : `${formatNumber(spans)} (${formatNumber(links)})`,
  );
}

function payloadTable(rows: readonly WarmRow[], cell: (row: WarmRow) => string): string {
  const bySetup = Map.groupBy(rows, ({ setup }) => setup);
  const [columns = []] = bySetup.values();
  const header = columns.map(({ kind, records }) =>
    kind === "http" ? "HTTP" : `SQS ${records.toLocaleString("en")}`,
  );
  const body = [...bySetup].map(([id, own]) => [nameOf(id), ...own.map(cell)]);
  return renderTable(["", ...header], body);
}

/** Growth is linear when a record costs the same in a small and in a large delivery. */
function recordTable(rows: readonly WarmRow[]): string {
  const deliveries = rows.filter(({ kind, setup }) => kind === "sqs" && setup !== BARE.id);
  const body = [...Map.groupBy(deliveries, ({ setup }) => setup)].map(([id, own]) => {
    const points = own.map((row) => [row.records, addedWarm(row, rows, "cpuMs")] as const);
    const line = fitLine(points);
    const perRecord = points.slice(-3).map(([records, ms]) => (ms / records) * MICROS_PER_MS);
    return [
      nameOf(id),
      formatNumber(line.slope * MICROS_PER_MS),
      formatNumber(line.intercept),
      line.r2.toFixed(4),
      ...perRecord.map(formatNumber),
    ];
  });
  const sizes = [...new Set(deliveries.map(({ records }) => records))].slice(-3);
  const header = sizes.map((records) => `µs per record at ${records.toLocaleString("en")}`);
  return renderTable(["", "slope, µs per record", "intercept, ms", "r²", ...header], body);
}

function isSamePayload(a: WarmRow, b: WarmRow): boolean {
  return a.kind === b.kind && a.records === b.records;
}
