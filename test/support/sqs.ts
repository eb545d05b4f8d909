/** SQS events of Lambda's real shape. */
import type { SQSEvent, SQSRecord } from "aws-lambda";

/** A record whose producer sent the W3C context of this trace and span id. */
export interface Producer {
  readonly traceId: string;
  readonly spanId: string;
}

/** The n-th producer: ids that can be told apart at a glance. */
export function producer(n: number): Producer {
  return {
    traceId: n.toString(16).padStart(32, "a"),
    spanId: n.toString(16).padStart(16, "b"),
  };
}

export function sqsRecord(n: number, from: Producer | undefined = producer(n)): SQSRecord {
  return {
    messageId: `message-${n}`,
    receiptHandle: `receipt-${n}`,
    body: JSON.stringify({ order: n }),
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "1764000000000",
      SenderId: "AIDAIENQZJOLO23YVJ4VO",
      ApproximateFirstReceiveTimestamp: "1764000000001",
    },
    messageAttributes:
      from === undefined
        ? {}
        : {
            traceparent: {
              stringValue: `00-${from.traceId}-${from.spanId}-01`,
              stringListValues: [],
              binaryListValues: [],
              dataType: "String",
            },
          },
    md5OfBody: "7b270e59b47ff90a553787216d55d91d",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:123456789012:orders",
    awsRegion: "us-east-1",
  };
}

/** `count` records, each from its own producer. */
export function sqsEvent(count: number): SQSEvent {
  return { Records: Array.from({ length: count }, (_, index) => sqsRecord(index + 1)) };
}

/** Records whose bodies are SNS envelopes, the W3C context among the topic's message attributes. */
export function snsWrapped(count: number): SQSEvent {
  const Records = sqsEvent(count).Records.map((record, index) => {
    const { traceId, spanId } = producer(index + 1);
    const envelope = {
      Type: "Notification",
      MessageId: `notification-${index + 1}`,
      TopicArn: "arn:aws:sns:us-east-1:123456789012:placed-orders",
      Message: record.body,
      Timestamp: "2025-11-24T16:00:00.000Z",
      SignatureVersion: "1",
      Signature: "EXAMPLE",
      SigningCertURL: "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-example.pem",
      UnsubscribeURL: "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
      MessageAttributes: {
        traceparent: { Type: "String", Value: `00-${traceId}-${spanId}-01` },
      },
    };
    return { ...record, body: JSON.stringify(envelope), messageAttributes: {} };
  });
  return { Records };
}
