/** A function's container under a Lambda of its own, as `startFunction` is for a process. */
import { onTestFinished } from "vitest";
import { platformEnvironment } from "../../src/dev/platform-environment.ts";
import { type RuntimeApi, startRuntimeApi } from "../../src/dev/runtime-api.ts";
import { type Container, type ContainerOptions, startContainer } from "./container.ts";
import type { Engine } from "./engine.ts";

/** What the image itself says; Lambda does not. */
const OF_THE_IMAGE = /^(?:PATH|LANG|TZ|LAMBDA_\w+|_HANDLER|AWS_EXECUTION_ENV)$/;
const MEMORY_MB = 512;

export interface ImageFunction {
  readonly api: RuntimeApi;
  readonly container: Container;
}

export interface ImageFunctionOptions extends ContainerOptions {
  readonly functionName?: string;
  /** Makes it a function on Managed Instances. */
  readonly maxConcurrency?: number;
}

/** Starts the container; the caller ends both parts. */
export async function startImageFunction(
  engine: Engine,
  { functionName = "orders", maxConcurrency, ...options }: ImageFunctionOptions,
): Promise<ImageFunction> {
  const api = await startRuntimeApi({
    functionName,
    managedInstances: maxConcurrency !== undefined,
  });
  const env = { ...lambdaEnvironment(api, functionName, maxConcurrency), ...options.env };
  return { api, container: await startContainer(engine, { ...options, env }) };
}

/** The same for one test, at whose end everything is gone. */
export async function runImageFunction(
  engine: Engine,
  options: ImageFunctionOptions,
): Promise<ImageFunction> {
  const started = await startImageFunction(engine, options);
  onTestFinished(async () => {
    await started.container.remove();
    await started.api.close();
  });
  return started;
}

/** The variables that Lambda adds to those of an image. */
export function lambdaEnvironment(
  api: RuntimeApi,
  functionName: string,
  maxConcurrency?: number,
): Record<string, string> {
  const all = platformEnvironment({
    functionName,
    functionVersion: "$LATEST",
    handler: "",
    taskRoot: "",
    memoryMb: MEMORY_MB,
    region: "us-east-1",
    runtimeApi: api.address,
    executionEnvironment: "",
    maxConcurrency,
  });
  return Object.fromEntries(Object.entries(all).filter(([name]) => !OF_THE_IMAGE.test(name)));
}
