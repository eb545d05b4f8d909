/**
 * Vitest's global setup: finds the programs that the suites talk to, and installs or builds what is
 * missing where that is possible. Where it is not, the suites that need the program fail with what to do.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { buildCollector } from "./support/collector-build.ts";

export type PeerName = "python" | "nginx" | "collector";

/** Where the program is, or why it is not there. */
export type Prerequisite = { readonly path: string } | { readonly missing: string };

declare module "vitest" {
  interface ProvidedContext {
    peers: Readonly<Record<PeerName, Prerequisite>>;
  }
}

/** Debian puts nginx where users' PATH does not look, and its modules only into its own Python. */
const PROGRAMS = {
  python: {
    package: "python3-grpcio",
    places: ["/usr/bin/python3", "python3"],
    check: ["-c", "import grpc"],
  },
  nginx: { package: "nginx", places: ["/usr/sbin/nginx", "nginx"], check: ["-v"] },
} as const;

type ProgramName = keyof typeof PROGRAMS;

const run = promisify(execFile);

export async function setup(project: TestProject): Promise<void> {
  const names: readonly ProgramName[] = ["python", "nginx"];
  const absent: ProgramName[] = [];
  for (const name of names) if ((await find(name)) === undefined) absent.push(name);
  const refusal = absent.length === 0 ? undefined : await install(absent);
  project.provide("peers", {
    python: await locate("python", refusal),
    nginx: await locate("nginx", refusal),
    collector: await attempt(buildCollector),
  });
}

async function locate(name: ProgramName, refusal: string | undefined): Promise<Prerequisite> {
  const path = await find(name);
  if (path !== undefined) return { path };
  const { package: debianPackage } = PROGRAMS[name];
  const reason = refusal ?? "it does not run even after its installation";
  return { missing: `${debianPackage} is not installed (${reason})` };
}

async function find(name: ProgramName): Promise<string | undefined> {
  const { places, check } = PROGRAMS[name];
  for (const place of places) {
    const works = await run(place, check).then(
      () => true,
      () => false,
    );
    if (works) return place;
  }
  return undefined;
}

/** Installs with apt-get; gives the reason when that cannot be. */
async function install(names: readonly ProgramName[]): Promise<string | undefined> {
  const packages = names.map((name) => PROGRAMS[name].package);
  const command = `apt-get install ${packages.join(" ")}`;
  if (process.getuid?.() !== 0) return `on Debian or Ubuntu: sudo ${command}`;
  console.log(`Installing ${packages.join(" and ")} …`);
  // Runlevel 1 keeps the package's own nginx from being started.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const options = { env, maxBuffer: Number.POSITIVE_INFINITY };
  const outcome = await attempt(async () => {
    await run("apt-get", ["update"], options);
    await run("apt-get", ["install", "-y", "--no-install-recommends", ...packages], options);
    return command;
  });
  return "missing" in outcome ? `${command}: ${outcome.missing}` : undefined;
}

async function attempt(make: () => Promise<string>): Promise<Prerequisite> {
  try {
    return { path: await make() };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
