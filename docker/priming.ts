/** What runs while the image is built, so that V8's code of it is in the cache. */

/** Takes whatever it is given, record by record. */
export const STAND_IN_HANDLER =
  "export const handler = async (event) => { for (const record of event.Records ?? []) await record; };";

const SQS_EVENT = {
  Records: [
    {
      messageId: "1",
      body: "{}",
      attributes: { SentTimestamp: "1", ApproximateReceiveCount: "1" },
      messageAttributes: {},
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:us-east-1:123456789012:orders",
    },
  ],
};
const HTTP_EVENT = {
  version: "2.0",
  routeKey: "GET /orders",
  rawPath: "/orders",
  rawQueryString: "",
  headers: { host: "localhost", traceparent: `00-${"1".repeat(32)}-${"1".repeat(16)}-01` },
  requestContext: {
    domainName: "localhost",
    http: { method: "GET", path: "/orders", protocol: "HTTP/1.1", sourceIp: "127.0.0.1" },
    stage: "$default",
  },
  isBase64Encoded: false,
};

/** The payloads of one process: a request and a batch. */
export const PRIMING_EVENTS: readonly unknown[] = [HTTP_EVENT, SQS_EVENT];

export interface Backends {
  /** Base URL of a receiver of OTLP over gRPC. */
  readonly grpcUrl: string;
  /** URL of a receiver of traces over OTLP/HTTP. */
  readonly httpUrl: string;
  /** `host:port` of an X-Ray daemon; nobody needs to listen. */
  readonly xrayDaemon: string;
}

/** Variables of the processes that run one after the other: each adds what it alone runs. */
export function primingSetups(backends: Backends): readonly Readonly<Record<string, string>>[] {
  const grpc = { OTEL_EXPORTER_OTLP_ENDPOINT: backends.grpcUrl };
  return [
    grpc,
    { ...grpc, COLDSPAN_FLUSH: "after-return" },
    {
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: backends.httpUrl,
    },
    { OTEL_TRACES_EXPORTER: "xray", AWS_XRAY_DAEMON_ADDRESS: backends.xrayDaemon },
  ];
}
