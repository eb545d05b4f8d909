/** A V8 CPU profile as time per phase, each sample given to the innermost frame that names one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const MICROS_PER_MS = 1e3;

export interface CallFrame {
  readonly functionName: string;
  /** A `file:` URL or path, `node:…` for built-ins, empty for V8's own. */
  readonly url: string;
  readonly lineNumber: number;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** µs of the monotonic clock. */
  readonly startTime: number;
  readonly samples: readonly number[];
  /** µs since the sample before. */
  readonly timeDeltas: readonly number[];
}

/** The phase that a frame begins, given the one it is called in; undefined: it belongs to that. */
export type FindPhase = (frame: CallFrame, outer: string) => string | undefined;

/** ms per phase. */
export type Phases = ReadonlyMap<string, number>;

/** The one profile that Node wrote into a directory. */
export function readProfile(directory: string): CpuProfile {
  const [file = ""] = readdirSync(directory);
  return JSON.parse(readFileSync(join(directory, file), "utf8")) as CpuProfile;
}

/** Time per phase between two moments of the monotonic clock, in ms. */
export function measurePhases(
  profile: CpuProfile,
  findPhase: FindPhase,
  fromMs: number,
  untilMs: number,
): Phases {
  const phaseOf = assignPhases(profile.nodes, findPhase);
  const phases = new Map<string, number>();
  let micros = profile.startTime;
  profile.samples.forEach((node, index) => {
    const delta = profile.timeDeltas[index] ?? 0;
    micros += delta;
    const ms = micros / MICROS_PER_MS;
    if (ms < fromMs || ms >= untilMs) return;
    const phase = phaseOf.get(node) ?? "";
    phases.set(phase, (phases.get(phase) ?? 0) + delta / MICROS_PER_MS);
  });
  return phases;
}

function assignPhases(
  nodes: readonly ProfileNode[],
  findPhase: FindPhase,
): ReadonlyMap<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const phases = new Map<number, string>();
  const visit = (node: ProfileNode, outer: string): void => {
    const phase = findPhase(node.callFrame, outer) ?? outer;
    phases.set(node.id, phase);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) visit(child, phase);
    }
  };
  const [root] = nodes;
  if (root !== undefined) visit(root, "");
  return phases;
}
