/** Markdown tables and the way figures read in them. */

/** A table whose first column is text and whose others are figures. */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const rule = header.map((_, column) => (column === 0 ? "---" : "--:"));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Three figures at most, none of them a false one; a dash for what was not measured. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? "0" : text;
}

/** With its sign: a difference. */
export function formatDifference(value: number | undefined): string {
  const text = formatNumber(value);
  return value !== undefined && value > 0 && text !== "0" ? `+${text}` : text.replace("-", "−");
}
