/** Runs over a folder of recorded AWS payloads, named by `COLDSPAN_EVENTS`: every one is recognised, or knowingly `other`. */
import { describe, expect, test } from "vitest";
import { describeEvent } from "../../../src/trace/sources.ts";
import { plain } from "../../support/events.ts";
import {
  candidates,
  expectedSource,
  RECORDED,
  readRecorded,
} from "../../support/recorded-events.ts";

describe("recorded events", () => {
  test("are there when a folder is named", () => {
    expect(RECORDED.length > 0).toBe((process.env.COLDSPAN_EVENTS ?? "") !== "");
  });

  for (const file of RECORDED) {
    test(`${file} is recognised, in full`, () => {
      const found = candidates(readRecorded(file)).map(describeEvent);
      for (const one of found) {
        expect(one).not.toHaveProperty("failure");
        expect(() => JSON.stringify(plain(one))).not.toThrow();
      }
      const sources = found.map(({ source }) => source);
      expect(sources.find((source) => source !== "other") ?? "other").toBe(expectedSource(file));
    });
  }
});
