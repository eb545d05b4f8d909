/** Which cold starts are compared. */
import type { NodeMajor } from "./platforms.ts";
import { BARE, BARE_ESM, type Setup } from "./setup.ts";
import { chooseSetups, HEADLINE, SETUPS } from "./setups.ts";
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
  readonly layouts: readonly Layout[];
  /** Ids of setups; their baselines come along. Absent: all. */
  readonly only?: readonly string[] | undefined;
}

/** What the README's table needs: every peer once, on the newer Node.js, as npm installs it. */
export const QUICK_PLAN: ColdPlan = {
  nodes: [24],
  apps: ["echo", "orders"],
  layouts: ["packages"],
  only: HEADLINE,
};

/** Exporters differ in the same way whatever the function does: compared once, on the echo. */
const ECHO_ONLY = new Set([
  "coldspan-http",
  "coldspan-xray",
  "image-files",
  "image-http",
  "image-xray",
  "otel-manual-http",
  "otel-http",
]);

/** Nothing of these is bundled with a function that has no packages of its own. */
const NEVER_BUNDLED = new Set(["otel-auto", "adot", "adot-lite", "datadog"]);

export function planColdCases({ nodes, apps, layouts, only }: ColdPlan): ColdCase[] {
  const chosen = only === undefined ? SETUPS : chooseSetups(only);
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

function makesSense(setup: Setup, app: App, layout: Layout): boolean {
  if (setup === BARE || setup === BARE_ESM) return true;
  if (app !== "echo") return !ECHO_ONLY.has(setup.id);
  if (layout === "packages") return true;
  // The echo has nothing to bundle but coldspan's or a peer's packages.
  return setup.image === undefined && !NEVER_BUNDLED.has(setup.id);
}
