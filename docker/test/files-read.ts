/** Which files a function reads while it starts: Lambda fetches an image's blocks on first touch. */
import type { ContainerOptions } from "./container.ts";

/** Successful opens of files; directories and devices are no image content. */
const OPENED = /\bopen(?:at|at2)?\((?:AT_FDCWD, )?"([^"]+)", ([^)]*)\)\s*=\s*\d+/;
const EXECUTED = /\bexecve\("([^"]+)",.*\)\s*=\s*0/;
/** The compile cache is in the image, though it is read through a link in `/tmp`. */
const NOT_IMAGE_CONTENT = /^\/(?:proc|sys|dev|tmp\/(?!coldspan-compile-cache\/))/;

/** The same container under `strace`, which writes to its standard error. */
export function underTrace(
  options: ContainerOptions,
  entrypoint: readonly string[],
): ContainerOptions {
  const trace = ["-f", "-qq", "-s", "4096", "-e", "trace=open,openat,openat2,execve"];
  return {
    ...options,
    entrypoint: "/usr/bin/strace",
    command: [...trace, "--", ...entrypoint, ...(options.command ?? [])],
  };
}

/** The files a trace shows as read, each once, in order of first touch. */
export function filesRead(trace: string): readonly string[] {
  const files = new Set<string>();
  for (const line of trace.split("\n")) {
    const executed = EXECUTED.exec(line)?.[1];
    const [, opened, flags = ""] = OPENED.exec(line) ?? [];
    const file = executed ?? (flags.includes("O_DIRECTORY") ? undefined : opened);
    if (file?.startsWith("/") && !NOT_IMAGE_CONTENT.test(file)) files.add(file);
  }
  return [...files];
}
