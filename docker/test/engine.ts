/** A Docker engine to test in: the one that is there, or one of our own that ends with the tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureDebianPackages, type Output, runCommand, tryCommand } from "./command.ts";

/** Best first: overlay2 needs a file system it can stack on, vfs copies whole images. */
const STORAGE_DRIVERS = ["overlay2", "fuse-overlayfs", "vfs"] as const;
/** Containers share the host's network, so the engine needs no bridge and no packet filter. */
const NETWORK_FLAGS = [
  "--iptables=false",
  "--ip6tables=false",
  "--ip-forward=false",
  "--ip-masq=false",
  "--bridge=none",
  "--userland-proxy=false",
];
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;

export interface Engine {
  /** `DOCKER_HOST` of an engine we started; undefined for the one that was there. */
  readonly host: string | undefined;
  /** Runs the `docker` command line against this engine; rejects when it fails. */
  docker(...parameters: string[]): Promise<string>;
  /** The same, for commands that may fail. */
  tryDocker(...parameters: string[]): Promise<Output>;
}

export interface StartedEngine extends Engine {
  /** Ends the engine if we started it, and every container in it. */
  stop(): Promise<void>;
}

interface Daemon {
  readonly process: ChildProcess;
  readonly host: string;
  readonly directory: string;
}

/**
 * Uses the engine that answers at `DOCKER_HOST` or the default socket; otherwise starts one.
 *
 * @throws When there is none and none can be started: it takes root, and apt where `dockerd` is missing.
 */
export async function startEngine(): Promise<StartedEngine> {
  const present = await tryCommand("docker", ["version"]).catch(() => undefined);
  if (present?.exitCode === 0) return { ...connectEngine(undefined), stop: async () => {} };
  if (process.getuid?.() !== 0) {
    throw new Error("No Docker engine answers (DOCKER_HOST), and starting one takes root");
  }
  await ensureDebianPackages("dockerd", ["docker.io"]);
  const daemon = await startDaemon();
  return { ...connectEngine(daemon.host), stop: () => stopDaemon(daemon) };
}

/** The engine at this `DOCKER_HOST`; undefined means the environment's. */
export function connectEngine(host: string | undefined): Engine {
  // The classic builder: BuildKit's command line (buildx) is a package of its own.
  const env = { DOCKER_BUILDKIT: "0", ...(host === undefined ? {} : { DOCKER_HOST: host }) };
  return {
    host,
    docker: (...parameters) => runCommand("docker", parameters, { env }),
    tryDocker: (...parameters) => tryCommand("docker", parameters, { env }),
  };
}

async function startDaemon(): Promise<Daemon> {
  const failures: string[] = [];
  for (const driver of STORAGE_DRIVERS) {
    const daemon = launch(driver);
    if (await answers(daemon)) return daemon;
    failures.push(`${driver}: ${lastLines(join(daemon.directory, "log"))}`);
    await stopDaemon(daemon);
  }
  throw new Error(`dockerd does not start here:\n${failures.join("\n")}`);
}

function launch(driver: string): Daemon {
  // Images are kept between runs; the socket must have a short path (108 bytes at most).
  const data = resolve(".cache", "docker", driver);
  const directory = mkdtempSync(join(tmpdir(), "coldspan-docker-"));
  mkdirSync(data, { recursive: true });
  const host = `unix://${directory}/docker.sock`;
  const log = openSync(join(directory, "log"), "a");
  const flags = [
    `--host=${host}`,
    `--data-root=${data}`,
    `--exec-root=${directory}/exec`,
    `--pidfile=${directory}/pid`,
    `--storage-driver=${driver}`,
    ...NETWORK_FLAGS,
  ];
  return { process: spawn("dockerd", flags, { stdio: ["ignore", log, log] }), host, directory };
}

async function answers({ process: daemon, host }: Daemon): Promise<boolean> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadlineMs && daemon.exitCode === null) {
    const { exitCode } = await tryCommand("docker", ["version"], { env: { DOCKER_HOST: host } });
    if (exitCode === 0) return true;
    await sleep(200);
  }
  return false;
}

async function stopDaemon({ process: daemon, directory }: Daemon): Promise<void> {
  if (daemon.exitCode === null && daemon.signalCode === null) {
    const ended = new Promise<void>((done) => {
      daemon.once("exit", () => done());
    });
    daemon.kill("SIGTERM");
    const killer = setTimeout(() => daemon.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(killer);
  }
  // The daemon leaves the network namespace of host-network containers mounted.
  await tryCommand("umount", ["--lazy", join(directory, "exec/netns/default")]);
  rmSync(directory, { recursive: true, force: true });
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-3).join("\n");
}
