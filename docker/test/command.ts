/** Running programs: their whole output, or an error that says what they said. */
import { spawn } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Record<string, string>;
  /** Ms after which the program is killed; default 10 minutes. */
  readonly timeoutMs?: number;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const TIMEOUT_MS = 600_000;

/** Runs a program to its end; resolves whatever its exit code is. */
export function tryCommand(
  program: string,
  parameters: readonly string[],
  { cwd, env, timeoutMs = TIMEOUT_MS }: CommandOptions = {},
): Promise<Output> {
  const child = spawn(program, parameters, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({
        stdout,
        stderr: signal ? `${stderr}ended by ${signal}` : stderr,
        exitCode: code ?? 1,
      });
    });
  });
}

/** Runs a program that must succeed; resolves to its standard output without the last newline. */
export async function runCommand(
  program: string,
  parameters: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const { stdout, stderr, exitCode } = await tryCommand(program, parameters, options);
  if (exitCode !== 0) {
    const said = (stderr || stdout).trim().split("\n").slice(-20).join("\n");
    throw new Error(`${program} ${parameters.join(" ")} exited with ${exitCode}:\n${said}`);
  }
  return stdout.trimEnd();
}

/** True when the shell finds the program. */
export async function hasCommand(program: string): Promise<boolean> {
  const { exitCode } = await tryCommand("sh", ["-c", `command -v ${program}`]);
  return exitCode === 0;
}

/** Installs Debian packages unless `program` is there already. */
export async function ensureDebianPackages(
  program: string,
  packages: readonly string[],
): Promise<void> {
  if (await hasCommand(program)) return;
  if (process.getuid?.() !== 0 || !(await hasCommand("apt-get"))) {
    throw new Error(`${program} is missing; install it (Debian: ${packages.join(" ")})`);
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await runCommand("apt-get", ["update", "-qq"], { env });
  await runCommand("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], {
    env,
  });
}
