/** What starts Lambda's runtime client here: in coldspan's image, in an image of any base, in a project. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** What AWS's base images start. */
const AWS_ENTRYPOINT = "/lambda-entrypoint.sh";
const CLIENT_PROGRAM = "node_modules/.bin/aws-lambda-ric";

/**
 * The program that takes a handler as its last argument: AWS's own, else the `aws-lambda-ric` of the task
 * root or of a directory above it; `undefined` where there is neither.
 */
export function findRuntime(taskRoot: string): string | undefined {
  return existsSync(AWS_ENTRYPOINT) ? AWS_ENTRYPOINT : findClient(taskRoot);
}

function findClient(directory: string): string | undefined {
  const program = join(directory, CLIENT_PROGRAM);
  if (existsSync(program)) return program;
  const parent = dirname(directory);
  return parent === directory ? undefined : findClient(parent);
}
