/** Keeping the stand-in for Node's own `Module._compile` out of the stacks of the user's errors. */
import { Module } from "node:module";
import { currentFrames, spliceStack } from "../stack-splice.ts";

/** Node's `Module.prototype._compile`, which is not part of its documented API. */
export type Compile = (
  this: Module,
  content: string,
  filename: string,
  format: string | undefined,
) => unknown;

/** How V8 writes a call of the stand-in, which is a function of this name. */
const STAND_IN_FRAME = /^( +at )Module\.compileCached (?:\[as _compile\] )?\(.*\)$/gm;
const STAND_IN_NAME = ".compileCached ";
const LOADER_LOCATION = /\((node:internal\/modules\/cjs\/loader:\d+:\d+)\)/;

/** Rewrites `error.stack` as if `compile` had been called without the stand-in, which calls this. */
export function hideCompileFrame(error: unknown): void {
  const frames = currentFrames();
  const standIn = frames.findIndex(isStandIn);
  spliceStack(error, isStandIn, frames.slice(standIn + 1));
}

function isStandIn(frame: string): boolean {
  return frame.includes(STAND_IN_NAME);
}

/** Rewrites `error.stack` as if `compile` had run the module that threw it. */
export function restoreCompileFrame(error: unknown, compile: Compile): void {
  if (!(error instanceof Error) || typeof error.stack !== "string") return;
  const { stack } = error;
  const frame = `$1Module._compile (${locationOf(compile)})`;
  const restored = stack.replace(STAND_IN_FRAME, frame);
  // A stack that cannot be written stays: an assignment would throw in place of the error.
  if (restored !== stack) Reflect.set(error, "stack", restored);
}

/** Line and column at which Node's compiler calls a module: no constant, they move with each release. */
function locationOf(compile: Compile): string {
  const stack = compile.call(new Module(""), "return new Error().stack", "", "commonjs");
  return LOADER_LOCATION.exec(String(stack))?.[1] ?? "node:internal/modules/cjs/loader";
}
