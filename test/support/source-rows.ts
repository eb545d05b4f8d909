/** One row per source and variant: what invokes the function, and how its handler answers. */
import { fixture, fixtureNames } from "./events.ts";

export interface Row {
  /** Also the name of its golden file. */
  readonly name: string;
  readonly event: unknown;
  /** `clientContext.custom`: the handler's wish, or a caller's context. */
  readonly custom?: Readonly<Record<string, unknown>>;
  readonly tenantId?: string;
}

interface Variant extends Omit<Row, "event" | "name"> {
  /** File of the event; `null` is the event `null`. */
  readonly of: string | null;
}

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Answers beyond success, and what is in no event. */
const VARIANTS: Readonly<Record<string, Variant>> = {
  "alb-without-status": { of: "alb", custom: { result: { body: "no status" } } },
  "api-gateway-v1-authorizer-refuses": {
    of: "api-gateway-v1-authorizer",
    custom: { error: "Unauthorized" },
  },
  "api-gateway-v1-malformed-answer": { of: "api-gateway-v1", custom: { result: "plain text" } },
  "api-gateway-v1-throws": { of: "api-gateway-v1", custom: { error: "no such order" } },
  "api-gateway-v1-unavailable": { of: "api-gateway-v1", custom: { result: { statusCode: 503 } } },
  "api-gateway-v2-bare-answer": { of: "api-gateway-v2", custom: { result: { orderId: 1 } } },
  "api-gateway-v2-not-found": { of: "api-gateway-v2", custom: { result: { statusCode: 404 } } },
  "cloudfront-passes-on": {
    of: "cloudfront-viewer-request",
    custom: { result: { method: "GET", uri: "/index.html" } },
  },
  "direct-null": { of: null },
  "direct-tenant": { of: "direct", tenantId: "blue" },
  "direct-with-context": {
    of: "direct",
    custom: { Traceparent: TRACEPARENT, tracestate: "a=1", baggage: "tenant=blue" },
  },
  "dynamodb-partial": { of: "dynamodb", custom: failures("4421584500000000017450439092") },
  "function-url-fails": { of: "function-url", custom: { result: { statusCode: 500 } } },
  "kafka-partial": {
    of: "kafka-msk",
    custom: failures({ partition: "orders-0", offset: 15 }),
  },
  "kinesis-partial": {
    of: "kinesis",
    custom: failures("49590338271490256608559692540925702759324208523137515618"),
  },
  "s3-throws": { of: "s3-created", custom: { error: "not an image" } },
  "scheduled-throws": { of: "scheduled-rule", custom: { error: "nothing to do" } },
  "sns-throws": { of: "sns", custom: { error: "no such subscriber" } },
  "sqs-malformed-answer": {
    of: "sqs-trace-context",
    custom: { result: { batchItemFailures: [{ itemIdentifier: "" }] } },
  },
  "sqs-partial": {
    of: "sqs-trace-context",
    custom: failures("2d6b1c1f-1b2a-4d4e-9f57-3a9d7e1f0a02"),
  },
  "sqs-throws": { of: "sqs-two-queues", custom: { error: "the database is away" } },
  "vpc-lattice-fails": { of: "vpc-lattice-v2", custom: { result: { statusCode: 502 } } },
  "websocket-refused": { of: "websocket-connect", custom: { result: { statusCode: 401 } } },
};

export const ROWS: readonly Row[] = [
  ...fixtureNames().map((name) => ({ name, event: fixture(name) })),
  ...Object.entries(VARIANTS).map(([name, { of, ...row }]) => ({
    name,
    event: of === null ? null : fixture(of),
    ...row,
  })),
];

function failures(...identifiers: readonly unknown[]): Record<string, unknown> {
  const batchItemFailures = identifiers.map((itemIdentifier) => ({ itemIdentifier }));
  return { result: { batchItemFailures } };
}
