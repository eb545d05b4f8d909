/** Prints the table of faults when the run is over, failed rows included. */
import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { FaultRow } from "./fault-row.ts";

type Column = readonly [title: string, cell: (row: FaultRow) => string];

const COLUMNS: readonly Column[] = [
  ["fault", ({ fault }) => fault],
  ["over", ({ protocol }) => protocol],
  ["flush", ({ mode }) => mode],
  ["spans", ({ expected }) => count(expected)],
  ["arrived", ({ arrived }) => count(arrived)],
  ["doubled", ({ doubled }) => count(doubled)],
  ["resent", ({ resent }) => count(resent)],
  ["dropped", ({ dropped }) => count(dropped)],
  ["longest wait", ({ longestWaitMs }) => unit(longestWaitMs, "ms")],
  ["peak memory", ({ peakMemoryBytes }) => unit(peakMemoryBytes, "MiB", 2 ** 20)],
];

export default class FaultTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const rows = tests.filter((test) => test.result().state !== "skipped").map(toCells);
    if (rows.length === 0) return;
    const table = [["", ...COLUMNS.map(([title]) => title), ""], ...rows];
    const widths = COLUMNS.map((_, column) => widest(table, column + 1));
    const lines = table.map(([state = "", ...cells]) => {
      const note = cells.pop() ?? "";
      const aligned = cells.map((cell, column) => align(cell, widths[column] ?? 0, column));
      return [state.padEnd(6), ...aligned, note].join("  ").trimEnd();
    });
    const failed = rows.filter(([state]) => state !== "ok").length;
    lines.push("", `${rows.length} rows, ${failed === 0 ? "all hold" : `${failed} do not hold`}`);
    console.log(`\n${lines.join("\n")}\n`);
  }
}

function toCells(test: TestCase): string[] {
  const state = test.result().state === "passed" ? "ok" : "FAILED";
  const { faultRow } = test.meta();
  if (faultRow === undefined) return [state, test.name, ...COLUMNS.slice(1).map(() => ""), ""];
  return [state, ...COLUMNS.map(([, cell]) => cell(faultRow)), faultRow.note ?? ""];
}

/** Words to the left, numbers to the right. */
function align(cell: string, width: number, column: number): string {
  return column < 3 ? cell.padEnd(width) : cell.padStart(width);
}

function widest(table: readonly (readonly string[])[], column: number): number {
  return Math.max(...table.map((cells) => cells[column]?.length ?? 0));
}

function count(value: number | undefined): string {
  return value === undefined ? "" : value.toLocaleString("en-US");
}

function unit(value: number | undefined, name: string, divisor = 1): string {
  return value === undefined
    ? ""
    : `${Math.round(value / divisor).toLocaleString("en-US")} ${name}`;
}
