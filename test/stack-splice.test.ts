import { expect, test } from "vitest";
import { currentFrames, spliceStack } from "../src/stack-splice.ts";

const outer = Array.from({ length: 12 }, (_, index) => `    at runtime${index} (runtime.mjs:1:1)`);
const isOwn = (frame: string): boolean => frame.includes("/own/");

function errorWith(stack: string): Error {
  return Object.assign(new Error("boom"), { stack });
}

test("own frames and all below them give way to the caller's, up to the limit of frames", () => {
  const error = errorWith(
    "Error: boom\nmore text\n    at user (app.js:1:1)\n    at own (/own/a.js:1:1)",
  );
  spliceStack(error, isOwn, outer);
  expect(error.stack?.split("\n")).toEqual([
    "Error: boom",
    "more text",
    "    at user (app.js:1:1)",
    ...outer.slice(0, 9),
  ]);
});

test("a stack without own frames stays as it is", () => {
  const error = errorWith("Error: boom\n    at user (app.js:1:1)");
  spliceStack(error, isOwn, outer);
  expect(error.stack).toBe("Error: boom\n    at user (app.js:1:1)");
});

test("thrown values that are no errors, and stacks that cannot be written, are left alone", () => {
  const stack = "Error: boom\n    at own (/own/a.js:1:1)";
  const fixed = Object.defineProperty(new Error("boom"), "stack", {
    value: stack,
    writable: false,
  });
  spliceStack(fixed, isOwn, outer);
  spliceStack(null, isOwn, outer);
  expect(fixed.stack).toBe(stack);
});

test("the current frames are not cut and the limit is kept", () => {
  const limit = Error.stackTraceLimit;
  const dive = (depth: number): string[] => (depth === 0 ? currentFrames() : dive(depth - 1));
  expect(dive(40).filter((frame) => frame.includes("dive")).length).toBe(41);
  expect(Error.stackTraceLimit).toBe(limit);
});
