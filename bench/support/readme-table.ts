/** The README's table: cold start and warm request of every peer, above the bare function. */
import type { ColdRow } from "./cold-measure.ts";
import { addedTo, type ColdResults, describeNotes } from "./cold-report.ts";
import { describeHeader } from "./header-report.ts";
import { HEADLINE, nameOf } from "./setups.ts";
import { formatDifference, formatNumber, renderTable } from "./table.ts";
import { addedWarm, type WarmResults } from "./warm-report.ts";
import type { App } from "./workshop.ts";

const NODE = 24;

/** What was compiled ahead makes no difference once the function is warm. */
const WARM_TWIN: Readonly<Record<string, string>> = {
  "image-warm": "image",
  "image-warm-after-return": "image-after-return",
};

const COLUMNS = [
  "above the bare function",
  "cold start: echo",
  "cold start: three AWS clients, zod",
  "the same, bundled",
  "memory, MiB",
  "files at init",
  "warm request, ms",
];

/** What the README says about the costs, as Markdown. */
export function describeCosts(cold: ColdResults, warm: WarmResults): string {
  const ofNode = cold.rows.filter(({ node }) => node === NODE);
  const rows = ofNode.filter(({ layout }) => layout === "packages");
  const bundled = ofNode.filter(({ layout }) => layout === "bundle");
  const shown = rows.filter(({ setup }) => HEADLINE.includes(setup));
  const body = HEADLINE.filter((id) => shown.some(({ setup }) => setup === id)).map((id) => [
    nameOf(id),
    coldCell(id, "echo", rows),
    coldCell(id, "orders", rows),
    coldCell(id, "orders", bundled),
    memoryCell(id, rows),
    formatNumber(findRow(id, "echo", rows)?.filesRead?.files),
    warmCell(id, warm),
  ]);
  const measured = `Warm requests: coldspan ${warm.machine.commit}, ${warm.measuredAt.slice(0, 10)}, on the same machine.`;
  return [renderTable(COLUMNS, body), describeHeader(cold), measured, describeNotes(shown)].join(
    "\n\n",
  );
}

function findRow(id: string, app: App, rows: readonly ColdRow[]): ColdRow | undefined {
  return rows.find((row) => row.setup === id && row.app === app);
}

function coldCell(id: string, app: App, rows: readonly ColdRow[]): string {
  const row = findRow(id, app, rows);
  const added = row && addedTo(row, ofApp(rows, app));
  if (added === undefined) return "–";
  return `× ${added.ratio.toFixed(2)} (${formatDifference(added.ms.median)} ms)`;
}

function memoryCell(id: string, rows: readonly ColdRow[]): string {
  const row = findRow(id, "echo", rows);
  return formatDifference(row && addedTo(row, ofApp(rows, "echo"))?.residentMib.median);
}

function warmCell(id: string, { rows }: WarmResults): string {
  const measured = WARM_TWIN[id] ?? id;
  const row = rows.find(({ setup, kind }) => setup === measured && kind === "http");
  return formatDifference(row && addedWarm(row, rows, "responseMs"));
}

function ofApp(rows: readonly ColdRow[], app: App): ColdRow[] {
  return rows.filter((row) => row.app === app);
}
