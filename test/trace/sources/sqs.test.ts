import { describe, expect, test } from "vitest";
import { describeEvent } from "../../../src/trace/sources.ts";
import { described, fixture } from "../../support/events.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE_HEADER = "Root=1-698a1b00-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1";

const INBOX = {
  system: "aws_sqs",
  destination: "inbox",
  attributes: {
    "messaging.system": "aws_sqs",
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "messaging.destination.name": "inbox",
    "aws.sqs.queue.url": "https://sqs.us-west-2.amazonaws.com/111122223333/inbox",
  },
};

function inboxRecord(id: string, carrier: unknown, attributes: object = {}): object {
  return {
    messageId: id,
    attributes: {
      "messaging.message.id": id,
      "coldspan.message.receive_count": 1,
      ...attributes,
    },
    carrier,
    sentAtMs: 1_770_000_004_000,
    itemIdentifier: id,
    group: undefined,
  };
}

describe("sqs", () => {
  test("reads context from message attributes and from AWSTraceHeader", () => {
    expect(described("sqs-trace-context")).toEqual({
      source: "sqs",
      trigger: "pubsub",
      attributes: {},
      batches: [
        {
          system: "aws_sqs",
          destination: "orders",
          attributes: {
            "messaging.system": "aws_sqs",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": "orders",
            "aws.sqs.queue.url": "https://sqs.eu-central-1.amazonaws.com/111122223333/orders",
          },
          records: [
            {
              messageId: "c80e8021-a70a-42c7-a470-796e1186f753",
              attributes: {
                "messaging.message.id": "c80e8021-a70a-42c7-a470-796e1186f753",
                "coldspan.message.receive_count": 1,
              },
              carrier: { traceparent: TRACEPARENT, baggage: "tenant=blue" },
              sentAtMs: 1_770_000_000_000,
              itemIdentifier: "c80e8021-a70a-42c7-a470-796e1186f753",
              group: undefined,
            },
            {
              messageId: "2d6b1c1f-1b2a-4d4e-9f57-3a9d7e1f0a02",
              attributes: {
                "messaging.message.id": "2d6b1c1f-1b2a-4d4e-9f57-3a9d7e1f0a02",
                "coldspan.message.receive_count": 3,
                "coldspan.message.dead_letter_source":
                  "arn:aws:sqs:eu-central-1:111122223333:orders-main",
              },
              carrier: { "x-amzn-trace-id": TRACE_HEADER },
              sentAtMs: 1_770_000_001_000,
              itemIdentifier: "2d6b1c1f-1b2a-4d4e-9f57-3a9d7e1f0a02",
              group: undefined,
            },
          ],
        },
      ],
    });
  });

  test("keeps a FIFO queue's group, and ignores binary attributes", () => {
    expect(described("sqs-fifo")).toEqual({
      source: "sqs",
      trigger: "pubsub",
      attributes: {},
      batches: [
        {
          system: "aws_sqs",
          destination: "steps.fifo",
          attributes: {
            "messaging.system": "aws_sqs",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": "steps.fifo",
            "aws.sqs.queue.url": "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/steps.fifo",
          },
          records: [
            {
              messageId: "5f1d9a52-5f0e-4f61-8a3d-2f65a1f0b001",
              attributes: {
                "messaging.message.id": "5f1d9a52-5f0e-4f61-8a3d-2f65a1f0b001",
                "coldspan.message.receive_count": 1,
                "coldspan.message.group_id": "customer-17",
                "coldspan.message.deduplication_id": "step-1",
              },
              carrier: {
                traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
              },
              sentAtMs: 1_770_000_002_000,
              itemIdentifier: "5f1d9a52-5f0e-4f61-8a3d-2f65a1f0b001",
              group: "customer-17",
            },
          ],
        },
      ],
    });
  });

  test("looks into bodies that SNS, EventBridge and S3 wrote", () => {
    const topic = { "aws.sns.topic.arn": "arn:aws:sns:us-west-2:111122223333:order-events" };
    const object = { "aws.s3.bucket": "amzn-s3-demo-bucket", "aws.s3.key": "in/München plan.pdf" };
    const order = {
      "coldspan.event.type": "Order Placed",
      "coldspan.event.publisher": "com.example.shop",
    };
    expect(described("sqs-envelopes")).toEqual({
      source: "sqs",
      trigger: "pubsub",
      attributes: {},
      batches: [
        {
          ...INBOX,
          records: [
            inboxRecord("sns-1", { traceparent: TRACEPARENT, tracestate: "vendor=1" }, topic),
            inboxRecord("sns-without-context", undefined, topic),
            inboxRecord("raw-sns", { traceparent: TRACEPARENT }),
            inboxRecord(
              "eventbridge",
              { traceparent: TRACEPARENT, "x-amzn-trace-id": TRACE_HEADER },
              order,
            ),
            inboxRecord("s3", undefined, object),
            inboxRecord("s3-over-sns", undefined, { ...topic, ...object }),
            inboxRecord(
              "eventbridge-over-sns",
              { traceparent: TRACEPARENT },
              { ...topic, ...order },
            ),
            inboxRecord("broken", undefined),
          ],
        },
      ],
    });
  });

  test("makes one batch per queue, and a standard queue's fair-share group orders nothing", () => {
    const { batches = [] } = describeEvent(fixture("sqs-two-queues")).description;
    expect(batches.map((batch) => batch.destination)).toEqual(["alpha", "beta"]);
    const [first, second] = (batches[0]?.arrays[0] ?? []) as unknown[];
    expect(batches.map((batch) => batch.owns?.(first))).toEqual([true, false]);
    expect(batches.map((batch) => batch.owns?.(second))).toEqual([false, true]);
    expect(batches[1]?.describeRecord(second)).toEqual({
      messageId: "b1",
      attributes: {
        "messaging.message.id": "b1",
        "coldspan.message.receive_count": 1,
        "coldspan.message.group_id": "fair-share-tenant",
      },
      carrier: undefined,
      sentAtMs: 1_770_000_003_001,
      itemIdentifier: "b1",
      group: undefined,
    });
  });

  test("gives up naming the queue when an event claims more than ten", () => {
    const Records = Array.from({ length: 11 }, (_, index) => ({
      messageId: `m${index}`,
      eventSource: "aws:sqs",
      eventSourceARN: `arn:aws:sqs:us-east-1:111122223333:queue-${index}`,
    }));
    const { batches = [] } = describeEvent({ Records }).description;
    expect(batches).toHaveLength(1);
    expect(batches[0]?.destination).toBeUndefined();
    expect(batches[0]?.owns).toBeUndefined();
  });

  test("hands out the event's own array", () => {
    const event = fixture("sqs-trace-context") as { Records: unknown[] };
    expect(describeEvent(event).description.batches?.[0]?.arrays[0]).toBe(event.Records);
  });
});
