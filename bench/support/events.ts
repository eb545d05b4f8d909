/** The events that functions get: of real shape and size. */

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const ORDER = JSON.stringify({
  id: "o-1001",
  customer: { name: "Ada", email: "ada@example.com" },
  lines: [{ sku: "tea", quantity: 2 }],
});

/** A request through an HTTP API, about 1 KB, from a caller that is traced. */
export const HTTP_EVENT = {
  version: "2.0",
  routeKey: "POST /orders",
  rawPath: "/orders",
  rawQueryString: "",
  headers: {
    accept: "application/json",
    "content-length": String(ORDER.length),
    "content-type": "application/json",
    host: "h1i2j3k4l5.execute-api.us-east-1.amazonaws.com",
    traceparent: TRACEPARENT,
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "x-amzn-trace-id": "Root=1-69201d00-0123456789abcdef01234567",
    "x-forwarded-for": "198.51.100.20",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
  },
  requestContext: {
    accountId: "111122223333",
    apiId: "h1i2j3k4l5",
    domainName: "h1i2j3k4l5.execute-api.us-east-1.amazonaws.com",
    domainPrefix: "h1i2j3k4l5",
    http: {
      method: "POST",
      path: "/orders",
      protocol: "HTTP/1.1",
      sourceIp: "198.51.100.20",
      userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
    },
    requestId: "JKLMNOPQRSTUVWX=",
    routeKey: "POST /orders",
    stage: "$default",
    time: "21/Nov/2026:08:00:00 +0000",
    timeEpoch: 1_795_248_000_000,
  },
  body: ORDER,
  isBase64Encoded: false,
};

/** A delivery from SQS: each message with a sender's context of its own, about 590 bytes: 10,000 fit Lambda's 6 MB. */
export function sqsEvent(records: number): { readonly Records: readonly object[] } {
  return { Records: Array.from({ length: records }, (_, index) => sqsRecord(index)) };
}

function sqsRecord(index: number): object {
  const id = (index + 1).toString(16).padStart(16, "0");
  return {
    messageId: `00000000-0000-4000-8000-${id.slice(4)}`,
    receiptHandle: `AQEB${id}`,
    body: '{"id":"o-1001"}',
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "1795248000000",
      SenderId: "AIDAIENQZJOLO23YVJ4VO",
      ApproximateFirstReceiveTimestamp: "1795248000001",
    },
    messageAttributes: {
      traceparent: {
        stringValue: `00-0af7651916cd43dd${id}-${id}-01`,
        stringListValues: [],
        binaryListValues: [],
        dataType: "String",
      },
    },
    md5OfBody: "7b270e59b47ff90a553787216d55d91d",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:111122223333:orders",
    awsRegion: "us-east-1",
  };
}
