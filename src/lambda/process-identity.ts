/** Names a process so that a later one can tell whether it still lives, even when its id is reused. */
import { readFileSync } from "node:fs";

/** `<process id>.<start time in clock ticks since boot>`; the time is 0 where `/proc` is missing. */
export function currentOwner(): string {
  return `${process.pid}.${startTicks("self") ?? 0}`;
}

/** True while the process that {@link currentOwner} named runs. */
export function isAlive(owner: string): boolean {
  const [pid = "", ticks = ""] = owner.split(".");
  if (ticks !== "0") return startTicks(pid) === Number(ticks);
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}

/** Field 22 of `/proc/<pid>/stat`; the second field is a file name that may hold anything but ends with `)`. */
function startTicks(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return undefined;
  }
}
