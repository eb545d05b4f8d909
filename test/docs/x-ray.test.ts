/** `docs/x-ray.md` names only what exists. What it says of behaviour, `test/contexts-in-the-runtime.test.ts` holds. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../src/config.ts";
import * as semconv from "../../src/trace/semconv.ts";
import { VARIABLES } from "../../src/variables.ts";

const PAGE = readFileSync(new URL("../../docs/x-ray.md", import.meta.url), "utf8");

describe("docs/x-ray.md", () => {
  test("names variables that exist, with values that are taken without a warning", () => {
    const settings = [...PAGE.matchAll(/`((?:OTEL|COLDSPAN)_[A-Z_]+)(?:=([^`]+))?`/g)];
    expect(settings.length).toBeGreaterThan(5);
    for (const [, name = "", value] of settings) {
      expect(VARIABLES.map((variable) => variable.name)).toContain(name);
      if (value !== undefined) expect(resolveConfig({ [name]: value }).warnings).toEqual([]);
    }
  });

  test("lists propagators that are taken without a warning", () => {
    const rows = PAGE.split("## Which propagators")[1]?.matchAll(/^\|[^|]+\| `([a-z,-]+)`/gm) ?? [];
    const lists = [...rows].map(([, list = ""]) => list);
    expect(lists).toHaveLength(3);
    for (const list of lists) {
      const { config, warnings } = resolveConfig({ OTEL_PROPAGATORS: list });
      expect(warnings).toEqual([]);
      expect(config.propagators).toEqual(list.split(","));
    }
  });

  test("names attributes that are set", () => {
    const names = [...PAGE.matchAll(/`(aws\.xray\.[a-z.]+)/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) expect(Object.values(semconv)).toContain(name);
  });
});
