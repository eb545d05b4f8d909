/** Cold starts as tables: what each setup costs above nobody tracing, in the same rounds. */
import type { ColdRow, Metric } from "./cold-measure.ts";
import { describeHeader } from "./header-report.ts";
import type { Header } from "./results.ts";
import { baselineOf } from "./setup.ts";
import { findSetup, nameOf, SETUPS } from "./setups.ts";
import { median, type Summary, summarize } from "./statistics.ts";
import { formatDifference, formatNumber, renderTable } from "./table.ts";

const BYTES_PER_KIB = 1024;

export interface ColdResults extends Header {
  readonly warmUps: number;
  readonly rows: readonly ColdRow[];
}

/** What a row costs above its baseline; `ratio` is of init and first response together. */
export interface Added {
  readonly ms: Summary;
  readonly cpuMs: Summary;
  readonly residentMib: Summary;
  readonly ratio: number;
}

const COLUMNS = [
  "",
  "init ms",
  "first response ms",
  "above bare, ms (quartiles)",
  "× bare",
  "CPU above bare, ms",
  "until freeze ms",
  "RSS above bare, MiB",
  "files at init",
  "KiB read",
  "spans received",
];

export function describeColdStarts(results: ColdResults): string {
  const groups = Map.groupBy(results.rows, ({ node, app, layout }) => `${node} ${app} ${layout}`);
  const tables = [...groups.values()].map((rows) => {
    const [first] = rows;
    const title = `### Node ${first?.node}, ${titleOf(first)}`;
    return `${title}\n\n${renderTable(
      COLUMNS,
      rows.map((row) => toCells(row, rows)),
    )}`;
  });
  return ["# Cold start", describeHeader(results), ...tables, describeNotes(results.rows)].join(
    "\n\n",
  );
}

/** Round by round, so that a slow minute of the machine meets both sides. */
export function addedTo(row: ColdRow, rows: readonly ColdRow[]): Added | undefined {
  const baseline = baselineRow(row, rows);
  if (baseline === undefined || row.failure !== undefined) return undefined;
  const compare = (compareRound: (own: number, bare: number) => number, metrics: Metric[]) => {
    const own = sumOf(row, metrics);
    const bare = sumOf(baseline, metrics);
    return summarize(bare.map((value, round) => compareRound(own[round] ?? NaN, value)));
  };
  const difference = (own: number, bare: number): number => own - bare;
  return {
    ms: compare(difference, ["initMs", "firstMs"]),
    cpuMs: compare(difference, ["initCpuMs", "firstCpuMs"]),
    residentMib: compare(difference, ["residentMib"]),
    ratio: compare((own, bare) => own / bare, ["initMs", "firstMs"]).median,
  };
}

function toCells(row: ColdRow, rows: readonly ColdRow[]): string[] {
  const name = nameOf(row.setup);
  if (row.failure !== undefined) return [name, `fails: ${row.failure.split("\n")[0]}`];
  const { runs, filesRead } = row;
  const added = addedTo(row, rows);
  return [
    name,
    formatNumber(median(runs.initMs)),
    formatNumber(median(runs.firstMs)),
    added === undefined ? "" : formatSpread(added.ms),
    added === undefined ? "" : formatNumber(added.ratio),
    added === undefined ? "" : formatDifference(added.cpuMs.median),
    formatNumber(median(runs.billedMs)),
    added === undefined ? "" : formatDifference(added.residentMib.median),
    formatNumber(filesRead?.files),
    formatNumber(filesRead && filesRead.bytes / BYTES_PER_KIB),
    describeSpans(row),
  ];
}

function describeSpans({ setup, runs }: ColdRow): string {
  const { exportsBy } = findSetup(setup) ?? {};
  if (exportsBy === undefined) return "";
  const arrived = runs.spans.filter((spans) => spans > 0).length;
  const every = arrived === runs.spans.length ? "" : `, in ${arrived} of ${runs.spans.length} runs`;
  return `${formatNumber(median(runs.spans))} (${exportsBy}${every})`;
}

function formatSpread({ median: middle, q1, q3 }: Summary): string {
  return `${formatDifference(middle)} (${formatDifference(q1)} … ${formatDifference(q3)})`;
}

/** What a reader must know about the setups of these rows. */
export function describeNotes(rows: readonly ColdRow[]): string {
  const present = new Set(rows.map(({ setup }) => setup));
  const notes = SETUPS.filter(({ id, note }) => note !== undefined && present.has(id));
  return notes.map(({ name, note }) => `- ${name}: ${note}.`).join("\n");
}

function titleOf(row: ColdRow | undefined): string {
  const app = row?.app === "orders" ? "three AWS SDK clients and zod" : "echo";
  return `${app}, ${row?.layout === "bundle" ? "bundled into one file" : "from node_modules"}`;
}

function baselineRow(row: ColdRow, rows: readonly ColdRow[]): ColdRow | undefined {
  const setup = findSetup(row.setup);
  const baseline = setup && baselineOf(setup).id;
  return row.setup === baseline ? undefined : rows.find((other) => other.setup === baseline);
}

function sumOf({ runs }: ColdRow, metrics: readonly Metric[]): number[] {
  return runs.initMs.map((_, round) =>
    metrics.reduce((sum, metric) => sum + (runs[metric][round] ?? Number.NaN), 0),
  );
}
