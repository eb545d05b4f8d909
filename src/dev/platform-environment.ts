/** The environment variables Lambda and the base image's bootstrap start a function with. */
import { randomBytes } from "node:crypto";

export interface PlatformSettings {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly handler: string;
  readonly taskRoot: string;
  readonly memoryMb: number;
  readonly region: string;
  /** `host:port` of the Runtime API. */
  readonly runtimeApi: string;
  /** What the base image's bootstrap exports; plain images keep `AWS_Lambda_Image`. */
  readonly executionEnvironment: string;
  /** Set on Managed Instances: how many invocations may run at once. */
  readonly maxConcurrency: number | undefined;
}

/** The whole environment of the process: Lambda hands nothing else down. */
export function platformEnvironment(settings: PlatformSettings): Record<string, string> {
  const { functionName, region, maxConcurrency } = settings;
  return {
    AWS_ACCESS_KEY_ID: "local",
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: settings.executionEnvironment,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMb),
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: settings.functionVersion,
    AWS_LAMBDA_INITIALIZATION_TYPE:
      maxConcurrency === undefined ? "on-demand" : "lambda-managed-instances",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName(settings.functionVersion),
    AWS_LAMBDA_RUNTIME_API: settings.runtimeApi,
    AWS_REGION: region,
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_SESSION_TOKEN: "local",
    AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
    LAMBDA_RUNTIME_DIR: "/var/runtime",
    LAMBDA_TASK_ROOT: settings.taskRoot,
    LANG: "en_US.UTF-8",
    PATH: "/usr/local/bin:/usr/bin:/bin:/opt/bin",
    TZ: ":UTC",
    _HANDLER: settings.handler,
    ...(maxConcurrency !== undefined && { AWS_LAMBDA_MAX_CONCURRENCY: String(maxConcurrency) }),
  };
}

/** One stream per environment, as in `2026/11/21/[$LATEST]0123…`. */
function logStreamName(version: string): string {
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[${version}]${randomBytes(16).toString("hex")}`;
}
