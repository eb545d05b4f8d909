/** What a process has used so far, as Linux counts it. */
import { readdirSync, readFileSync } from "node:fs";

const NANOS_PER_MS = 1e6;
const BYTES_PER_KIB = 1024;

/**
 * CPU time of all threads that live, in ms with the scheduler's own resolution; undefined where
 * `/proc` does not tell.
 */
export function readCpuMs(pid: number): number | undefined {
  try {
    const tasks = `/proc/${pid}/task`;
    const nanos = readdirSync(tasks).map((task) =>
      Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]),
    );
    return nanos.reduce((sum, value) => sum + value, 0) / NANOS_PER_MS;
  } catch {
    return undefined;
  }
}

/** Resident memory in bytes; undefined where `/proc` does not tell. */
export function readResidentBytes(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * BYTES_PER_KIB;
  } catch {
    return undefined;
  }
}
