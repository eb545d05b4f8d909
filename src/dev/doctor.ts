/** Looks at an image from inside: what would keep a function in it from being traced, or make it slow. */
import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type Config, type ExporterConfig, resolveConfig } from "../config.ts";
import { codeCacheDirectory } from "../image/code-cache.ts";

const CONNECT_TIMEOUT_MS = 3_000;
const MIN_NODE = [22, 15] as const;
const RUNTIME_FILES = ["/var/runtime/index.mjs", "node_modules/aws-lambda-ric/package.json"];
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "https:": 443, "http:": 80 };

export interface Finding {
  readonly verdict: "good" | "doubtful" | "bad";
  readonly text: string;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly imageDirectory: string;
}

/** Never rejects; the order is that in which a function starts. */
export async function examine({ env, imageDirectory }: Surroundings): Promise<readonly Finding[]> {
  const { config, warnings } = resolveConfig(env);
  return [
    nodeVersion(),
    runtimeClient(env.LAMBDA_TASK_ROOT ?? process.cwd()),
    entry(env, imageDirectory),
    compileCache(join(imageDirectory, "compile-cache")),
    enabled(config),
    ...warnings.map((text): Finding => ({ verdict: "doubtful", text })),
    ...(config.enabled ? await Promise.all(config.exporters.map(exporter)) : []),
  ];
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isEnough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return isEnough
    ? { verdict: "good", text: `Node.js ${process.version}, ${process.arch}` }
    : { verdict: "bad", text: `Node.js ${process.version} is older than 22.15` };
}

function runtimeClient(taskRoot: string): Finding {
  const file = RUNTIME_FILES.map((name) => join(name.startsWith("/") ? "" : taskRoot, name)).find(
    (path) => existsSync(path),
  );
  return file === undefined
    ? { verdict: "doubtful", text: `no runtime client in /var/runtime or ${taskRoot}/node_modules` }
    : { verdict: "good", text: `runtime client ${file}` };
}

function entry(env: Surroundings["env"], imageDirectory: string): Finding {
  const { AWS_LAMBDA_EXEC_WRAPPER: wrapper, NODE_OPTIONS: options } = env;
  const isHere = [wrapper, options].some((value) => value?.includes(`${imageDirectory}/`));
  if (isHere) return { verdict: "good", text: "handlers are traced without code" };
  const place = `${imageDirectory}/coldspan-wrapper`;
  return {
    verdict: "doubtful",
    text: `handlers are traced without code only if ENTRYPOINT or AWS_LAMBDA_EXEC_WRAPPER is ${place}`,
  };
}

function compileCache(directory: string): Finding {
  const prefix = `${process.version}-${process.arch}-`;
  const caches = existsSync(directory) ? readdirSync(directory) : [];
  const mine = caches.filter((name) => name.startsWith(prefix));
  const fileCount = mine.flatMap((name) => readdirSync(join(directory, name))).length;
  if (fileCount > 0) {
    const code = codeCacheDirectory(directory);
    const bundleCount = existsSync(code) ? readdirSync(code).length : 0;
    const text = `compile cache of ${fileCount} files, and all code of ${bundleCount} bundles`;
    return { verdict: "good", text };
  }
  const foreign = caches.filter((name) => name.startsWith("v"));
  const others = foreign.length === 0 ? "" : `, only for ${foreign.join(", ")}`;
  return {
    verdict: "doubtful",
    text: `no compile cache for this Node.js${others}: add RUN coldspan warm <handler>`,
  };
}

function enabled({ enabled, exporters }: Config): Finding {
  if (!enabled) return { verdict: "doubtful", text: "OTEL_SDK_DISABLED: nothing is traced" };
  if (exporters.length > 0) return { verdict: "good", text: "tracing is on" };
  return { verdict: "doubtful", text: "OTEL_TRACES_EXPORTER=none: spans are made and go nowhere" };
}

async function exporter(config: ExporterConfig): Promise<Finding> {
  if (config.kind !== "otlp") return { verdict: "good", text: `exporter ${config.kind}` };
  const { endpoint, protocol } = config.otlp;
  const url = URL.parse(endpoint.includes("://") ? endpoint : `https://${endpoint}`);
  if (url === null || url.hostname === "") {
    return { verdict: "doubtful", text: `otlp/${protocol} to ${endpoint}, not tried` };
  }
  const port = Number(url.port) || DEFAULT_PORTS[url.protocol] || 443;
  const problem = await tryConnect(url.hostname.replace(/^\[|\]$/g, ""), port);
  const target = `otlp/${protocol} to ${url.hostname}:${port}`;
  return problem === undefined
    ? { verdict: "good", text: `${target} accepts connections` }
    : { verdict: "bad", text: `${target}: ${problem}` };
}

function tryConnect(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const end = (problem?: string): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.on("connect", () => end());
    socket.on("timeout", () => end(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
    socket.on("error", (error) => end(error.message));
  });
}
