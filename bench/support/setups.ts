/** Who takes part. */
import { COLDSPAN_RECORDS, COLDSPAN_SETUPS, IMAGE_SETUPS } from "./coldspan-setups.ts";
import { PEER_SETUPS } from "./peer-setups.ts";
import { BARE, BARE_ESM, baselineOf, type Setup } from "./setup.ts";

/** In the order of the tables. */
export const SETUPS: readonly Setup[] = [
  BARE,
  BARE_ESM,
  ...COLDSPAN_SETUPS,
  ...IMAGE_SETUPS,
  ...PEER_SETUPS,
];

/** `processRecords` differs from the rest in warm invocations only. */
const ALL: readonly Setup[] = [...SETUPS, COLDSPAN_RECORDS];

/** What the README compares: coldspan as it is recommended, and every peer once. */
export const HEADLINE: readonly string[] = [
  "coldspan",
  "coldspan-after-return",
  "image",
  "image-warm",
  "image-warm-after-return",
  "otel-manual",
  "otel",
  "otel-auto",
  "adot",
  "adot-lite",
  "datadog",
  "xray-sdk",
  "powertools",
];

/** Whose warm invocations are compared: module format and compile cache are over by then. */
export const WARM: readonly string[] = [
  COLDSPAN_RECORDS.id,
  ...COLDSPAN_SETUPS.map(({ id }) => id).filter((id) => id !== "coldspan-esm"),
  "image",
  "image-after-return",
  ...PEER_SETUPS.map(({ id }) => id),
];

/** Of the peers that differ in their exporter alone, one. */
export const QUICK_WARM: readonly string[] = WARM.filter(
  (id) => id === COLDSPAN_RECORDS.id || id === "image-after-return" || HEADLINE.includes(id),
);

/** Those with these ids, and what their figures are held against. Throws when an id is nobody's. */
export function chooseSetups(ids: readonly string[]): readonly Setup[] {
  for (const id of ids) if (findSetup(id) === undefined) throw new Error(`no setup "${id}"`);
  const baselines = new Set(ALL.filter(({ id }) => ids.includes(id)).map(baselineOf));
  return ALL.filter((setup) => ids.includes(setup.id) || baselines.has(setup));
}

export function findSetup(id: string): Setup | undefined {
  return ALL.find((setup) => setup.id === id);
}

/** As in the tables. */
export function nameOf(id: string): string {
  return findSetup(id)?.name ?? id;
}
