/** The parts of an Amazon Resource Name: `arn:partition:service:region:account:resource`. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** All that follows the fifth colon, such as `my-queue` or `table/orders/stream/2024-…`. */
  readonly resource: string;
}

/** ARNs have at most 2,048 characters (IAM reference). */
const MAX_ARN_LENGTH = 2_048;

/** Splits an ARN; `undefined` for anything else. */
export function parseArn(value: unknown): Arn | undefined {
  if (typeof value !== "string" || value.length > MAX_ARN_LENGTH) return undefined;
  const [prefix, partition, service, region, account, ...rest] = value.split(":");
  if (prefix !== "arn" || partition === undefined || service === undefined) return undefined;
  const resource = rest.join(":");
  if (region === undefined || account === undefined || resource === "") return undefined;
  return { partition, service, region, account, resource };
}

/** The second part of a `type/name/…` resource, such as the table of a stream's ARN. */
export function resourceName(arn: Arn | undefined): string | undefined {
  return arn?.resource.split("/")[1] || undefined;
}
