/** Which cold starts are compared. */
import type { NodeMajor } from "./platforms.ts";
import { BARE, BARE_ESM, baselineOf, SETUPS, type Setup } from "./setup.ts";
import type { App, Layout } from "./workshop.ts";

export interface ColdCase {
  readonly setup: Setup;
  readonly app: App;
  readonly layout: Layout;
  readonly node: NodeMajor;
}

export interface ColdPlan {
  readonly nodes: readonly NodeMajor[];
  readonly apps: readonly App[];
  /** Ids of setups; their baselines come along. Absent: all. */
  readonly only?: readonly string[] | undefined;
}

/** Exporters differ in the same way whatever the function does: compared once, on the echo. */
const ECHO_ONLY = new Set(["coldspan-http", "coldspan-xray", "otel-manual-http", "otel-http"]);

/** Nothing of these is bundled with a function that has no packages of its own. */
const NEVER_BUNDLED = new Set(["otel-auto", "adot", "adot-lite", "datadog"]);

export function planColdCases({ nodes, apps, only }: ColdPlan): ColdCase[] {
  const layouts: readonly Layout[] = ["packages", "bundle"];
  const chosen = SETUPS.filter((setup) => only === undefined || isWanted(setup, only));
  return nodes.flatMap((node) =>
    apps.flatMap((app) =>
      layouts.flatMap((layout) =>
        chosen
          .filter((setup) => makesSense(setup, app, layout))
          .map((setup) => ({ setup, app, layout, node })),
      ),
    ),
  );
}

function isWanted(setup: Setup, only: readonly string[]): boolean {
  if (only.includes(setup.id)) return true;
  return SETUPS.some((other) => only.includes(other.id) && baselineOf(other) === setup);
}

function makesSense(setup: Setup, app: App, layout: Layout): boolean {
  if (setup === BARE || setup === BARE_ESM) return true;
  if (app !== "echo") return !ECHO_ONLY.has(setup.id);
  return layout === "packages" || !NEVER_BUNDLED.has(setup.id);
}
