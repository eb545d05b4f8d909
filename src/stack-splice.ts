/** Keeping coldspan out of the stack of an error that the user's module threw while it was loaded. */

const FRAME: RegExp = /^\s+at /;
/** How V8 calls `Module._load` while another function has its place. */
const REPLACED_LOAD: RegExp =
  /^(\s+at )(?:Module|Function)\.<anonymous>( \(node:internal\/modules\/cjs\/loader:)/;

function framesOf(stack: string): string[] {
  return stack.split("\n").filter((line) => FRAME.test(line));
}

/** Every frame of the caller, innermost first; the usual limit of 10 does not apply. */
export function currentFrames(): string[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const { stack } = new Error();
  Error.stackTraceLimit = limit;
  return framesOf(stack ?? "").slice(1);
}

/**
 * Rewrites `error.stack` as if `outer` had called what threw: from the first frame that `isOwn` on,
 * the error's frames are replaced by `outer`, cut to `Error.stackTraceLimit`.
 * What is no error, or shows no frame of ours, is left alone.
 */
export function spliceStack(
  error: unknown,
  isOwn: (frame: string) => boolean,
  outer: readonly string[],
): void {
  if (!(error instanceof Error) || typeof error.stack !== "string") return;
  const lines = error.stack.split("\n");
  const cut = lines.findIndex((line) => FRAME.test(line) && isOwn(line));
  if (cut === -1) return;
  const kept = lines.slice(0, cut).map((line) => line.replace(REPLACED_LOAD, "$1Module._load$2"));
  const free = Math.max(0, Error.stackTraceLimit - kept.filter((line) => FRAME.test(line)).length);
  // A stack that cannot be written stays: an assignment would throw in place of the error.
  Reflect.set(error, "stack", [...kept, ...outer.slice(0, free)].join("\n"));
}
