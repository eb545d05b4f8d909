/** Containers run as Lambda runs them: read-only root, a nobody of a user, limits, only /tmp writable. */
import type { Output } from "./command.ts";
import type { Engine } from "./engine.ts";

/** Lambda's own kind of user: no home, no group, no files. */
const USER = "1051:1051";
const TMP_MIB = 512;

export interface ContainerOptions {
  readonly image: string;
  /** CMD; for the base image the handler string. */
  readonly command?: readonly string[];
  /** Program in place of the image's ENTRYPOINT. */
  readonly entrypoint?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 512. */
  readonly memoryMiB?: number;
  /** Default 1. */
  readonly cpus?: number;
}

export interface Container {
  readonly id: string;
  /** Starts a container that was only created. */
  start(): Promise<void>;
  /** Freezes every process, as Lambda does between invocations. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** What it printed so far. */
  logs(): Promise<Output>;
  /** Resolves to the exit code when it ends by itself. */
  exitCode(): Promise<number>;
  /** Unix time in ms at which its first process was started. */
  startedAtMs(): Promise<number>;
  /** Sends a signal, for example `SIGTERM`. */
  kill(signal: string): Promise<void>;
  /** Ends and deletes it. */
  remove(): Promise<void>;
}

/** Creates a container without starting it, so that a measurement need not pay for it. */
export async function createContainer(
  engine: Engine,
  { image, command = [], entrypoint, env = {}, memoryMiB = 512, cpus = 1 }: ContainerOptions,
): Promise<Container> {
  const id = await engine.docker(
    "create",
    "--read-only",
    `--tmpfs=/tmp:rw,exec,mode=1777,size=${TMP_MIB}m`,
    `--user=${USER}`,
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    `--memory=${memoryMiB}m`,
    `--cpus=${cpus}`,
    // Servers of the test listen on the loopback address; a bridge would need a packet filter.
    "--network=host",
    ...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`),
    ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint}`]),
    image,
    ...command,
  );
  return containerOf(engine, id);
}

/** Creates a container and starts it. */
export async function startContainer(
  engine: Engine,
  options: ContainerOptions,
): Promise<Container> {
  const container = await createContainer(engine, options);
  await container.start();
  return container;
}

function containerOf(engine: Engine, id: string): Container {
  const run = async (...parameters: string[]): Promise<void> => {
    await engine.docker(...parameters);
  };
  return {
    id,
    start: () => run("start", id),
    pause: () => run("pause", id),
    unpause: () => run("unpause", id),
    logs: () => engine.tryDocker("logs", id),
    exitCode: async () => Number(await engine.docker("wait", id)),
    startedAtMs: async () =>
      Date.parse(await engine.docker("inspect", "--format={{.State.StartedAt}}", id)),
    kill: (signal) => run("kill", `--signal=${signal}`, id),
    remove: () => run("rm", "--force", id),
  };
}
