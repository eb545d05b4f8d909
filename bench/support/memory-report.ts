/** Memory over time as a table: what matters is the slope of the second half. */
import { describeHeader } from "./header-report.ts";
import { MEMORY_MB, type MemoryRow, type MemorySample } from "./memory-measure.ts";
import type { Header } from "./results.ts";
import { nameOf } from "./setups.ts";
import { fitLine } from "./statistics.ts";
import { formatDifference, formatNumber, renderTable } from "./table.ts";

const KIB_PER_MIB = 1024;
const PER_INVOCATIONS = 1_000;

export interface MemoryResults extends Header {
  readonly rows: readonly MemoryRow[];
}

const COLUMNS = [
  "",
  "collector",
  "heap MiB, start → half → end",
  "heap, KiB per 1,000 invocations",
  "RSS MiB, start → half → end",
  "RSS, KiB per 1,000 invocations",
  "answer ms",
  "spans received",
];

export function describeMemory(results: MemoryResults): string {
  const invocations = results.rows[0]?.samples.at(-1)?.invocations ?? 0;
  return [
    "# Memory over time",
    describeHeader(results),
    `${invocations.toLocaleString("en")} invocations in one process of ${MEMORY_MB} MB, with the heap flags that Lambda sets for it; ` +
      "10 SQS records each. " +
      "Slopes are those of the second half: before that, the spans of a dead collector fill the buffer.",
    renderTable(COLUMNS, results.rows.map(toCells)),
  ].join("\n\n");
}

/** KiB per 1,000 invocations over the second half. */
export function slopeOf(
  samples: readonly MemorySample[],
  metric: "heapMib" | "residentMib",
): number {
  const half = samples.slice(Math.floor(samples.length / 2));
  const points = half.map((sample) => [sample.invocations, sample[metric]] as const);
  return fitLine(points).slope * KIB_PER_MIB * PER_INVOCATIONS;
}

function toCells({ setup, collector, samples, responseMs, spans }: MemoryRow): string[] {
  const course = (metric: "heapMib" | "residentMib") =>
    [samples[0], samples[Math.floor(samples.length / 2)], samples.at(-1)]
      .map((sample) => formatNumber(sample?.[metric]))
      .join(" → ");
  return [
    nameOf(setup),
    collector,
    course("heapMib"),
    formatDifference(slopeOf(samples, "heapMib")),
    course("residentMib"),
    formatDifference(slopeOf(samples, "residentMib")),
    formatNumber(responseMs),
    spans.toLocaleString("en"),
  ];
}
