/** Events of every source that delivers records, each record with a producer of its own where it can carry one. */
import { type Producer, producer } from "./sqs.ts";

export interface DeliveredRecord {
  /** What the test function calls it. */
  readonly key: string;
  /** Whose context it carries. */
  readonly producer: Producer | undefined;
  /** Queue, topic, stream, table or bucket: the record's batch. */
  readonly destination: string;
  /** Its name in `batchItemFailures`; undefined where there is none. */
  readonly identifier: unknown;
}

export interface BatchEvent {
  readonly name: string;
  readonly event: unknown;
  readonly records: readonly DeliveredRecord[];
  /** Keys of the records that are made to fail, and of all that the answer must name then. */
  readonly failing: readonly string[];
  readonly reported: readonly string[];
}

const ACCOUNT = "us-east-1:123456789012";

function traceparent(n: number): string {
  const { traceId, spanId } = producer(n);
  return `00-${traceId}-${spanId}-01`;
}

const base64 = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64");

/** Bytes as Lambda writes Kafka's: signed. */
const bytes = (text: string): number[] => [...Buffer.from(text)].map((byte) => (byte << 24) >> 24);

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const sent = (n: number) => ({ key: `m-${n}`, producer: producer(n) });

function sqsMessage(n: number, queue: string, fields: object): object {
  return {
    messageId: `m-${n}`,
    body: "{}",
    attributes: { ApproximateReceiveCount: "1", SentTimestamp: "1764000000000" },
    messageAttributes: {},
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:${ACCOUNT}:${queue}`,
    ...fields,
  };
}

const withAttribute = (n: number) => ({
  messageAttributes: { traceparent: { stringValue: traceparent(n), dataType: "String" } },
});

/** What each envelope of an SQS body is made of. */
const ENVELOPES = {
  SNS: (n: number) => ({
    Type: "Notification",
    TopicArn: `arn:aws:sns:${ACCOUNT}:placed`,
    Message: "{}",
    MessageAttributes: { traceparent: { Type: "String", Value: traceparent(n) } },
  }),
  EventBridge: (n: number) => ({
    version: "0",
    "detail-type": "Order Placed",
    source: "shop",
    detail: { traceparent: traceparent(n) },
  }),
};

const envelopes: BatchEvent[] = Object.entries(ENVELOPES).map(([name, wrap]) => ({
  name: `SQS with ${name} envelopes`,
  event: {
    Records: range(3).map((n) => sqsMessage(n, "orders", { body: JSON.stringify(wrap(n)) })),
  },
  records: range(3).map((n) => ({ ...sent(n), destination: "orders", identifier: `m-${n}` })),
  failing: ["m-2"],
  reported: ["m-2"],
}));

const streamRecord = (n: number, shard: number) => ({
  kinesis: {
    partitionKey: "p",
    sequenceNumber: `4959${n}`,
    data: base64({ traceparent: traceparent(n) }),
    approximateArrivalTimestamp: 1_764_000_000.5,
  },
  eventSource: "aws:kinesis",
  eventID: `shardId-00000000000${shard}:4959${n}`,
  eventSourceARN: `arn:aws:kinesis:${ACCOUNT}:stream/clicks`,
});

const kafkaRecord = (n: number, topic: string, partition: number) => ({
  topic,
  partition,
  offset: 100 + n,
  timestamp: 1_764_000_000_000,
  key: `m-${n}`,
  value: "e30=",
  headers: [{ traceparent: bytes(traceparent(n)) }],
});

const kafkaDelivered = (n: number, topic: string, partition: number): DeliveredRecord => ({
  ...sent(n),
  destination: topic,
  identifier: { partition: `${topic}-${partition}`, offset: 100 + n },
});

const s3Record = (n: number) => ({
  eventSource: "aws:s3",
  eventName: "ObjectCreated:Put",
  eventTime: "2025-11-24T16:00:00.000Z",
  s3: { bucket: { name: "photos" }, object: { key: `m-${n}` } },
});

export const BATCH_EVENTS: readonly BatchEvent[] = [
  {
    name: "SQS, two queues in one array",
    event: {
      Records: range(4).map((n) => sqsMessage(n, n % 2 ? "odd" : "even", withAttribute(n))),
    },
    records: range(4).map((n) => ({
      ...sent(n),
      destination: n % 2 ? "odd" : "even",
      identifier: `m-${n}`,
    })),
    failing: ["m-2", "m-3"],
    reported: ["m-2", "m-3"],
  },
  ...envelopes,
  {
    name: "SQS with S3 envelopes",
    event: {
      Records: range(2).map((n) =>
        sqsMessage(n, "orders", { body: JSON.stringify({ Records: [s3Record(n)] }) }),
      ),
    },
    records: range(2).map((n) => ({
      key: `m-${n}`,
      producer: undefined,
      destination: "orders",
      identifier: `m-${n}`,
    })),
    failing: ["m-1"],
    reported: ["m-1"],
  },
  {
    name: "SQS FIFO",
    event: {
      Records: ["a", "b", "a", "b", "a"].map((MessageGroupId, index) =>
        sqsMessage(index + 1, "steps.fifo", {
          ...withAttribute(index + 1),
          attributes: { SentTimestamp: "1764000000000", MessageGroupId },
        }),
      ),
    },
    records: range(5).map((n) => ({ ...sent(n), destination: "steps.fifo", identifier: `m-${n}` })),
    failing: ["m-3"],
    reported: ["m-3", "m-5"],
  },
  {
    name: "Kinesis, two shards",
    event: { Records: [1, 2, 3, 4].map((n) => streamRecord(n, n % 2)) },
    records: range(4).map((n) => ({
      key: `shardId-00000000000${n % 2}:4959${n}`,
      producer: producer(n),
      destination: "clicks",
      identifier: `4959${n}`,
    })),
    failing: ["shardId-000000000001:49591"],
    reported: ["shardId-000000000001:49591", "shardId-000000000001:49593"],
  },
  {
    name: "Kinesis through Pipes",
    event: [1, 2].map((n) => {
      const { kinesis, ...record } = streamRecord(n, 1);
      return { ...kinesis, ...record };
    }),
    records: range(2).map((n) => ({
      key: `shardId-000000000001:4959${n}`,
      producer: producer(n),
      destination: "clicks",
      identifier: `4959${n}`,
    })),
    failing: ["shardId-000000000001:49592"],
    reported: ["shardId-000000000001:49592"],
  },
  {
    name: "DynamoDB",
    event: {
      Records: range(3).map((n) => ({
        eventID: `m-${n}`,
        eventName: "INSERT",
        eventSource: "aws:dynamodb",
        dynamodb: { SequenceNumber: `7${n}`, ApproximateCreationDateTime: 1_764_000_000 },
        eventSourceARN: `arn:aws:dynamodb:${ACCOUNT}:table/orders/stream/2025-01-01T00:00:00.000`,
      })),
    },
    records: range(3).map((n) => ({
      key: `m-${n}`,
      producer: undefined,
      destination: "orders",
      identifier: `7${n}`,
    })),
    failing: ["m-2"],
    reported: ["m-2", "m-3"],
  },
  {
    name: "Kafka, two topics",
    event: {
      eventSource: "aws:kafka",
      records: {
        "orders-0": [kafkaRecord(1, "orders", 0), kafkaRecord(2, "orders", 0)],
        "orders-1": [kafkaRecord(3, "orders", 1)],
        "pay-ments-0": [kafkaRecord(4, "pay-ments", 0)],
      },
    },
    records: [
      kafkaDelivered(1, "orders", 0),
      kafkaDelivered(2, "orders", 0),
      kafkaDelivered(3, "orders", 1),
      kafkaDelivered(4, "pay-ments", 0),
    ],
    failing: ["m-1"],
    reported: ["m-1", "m-2"],
  },
  {
    name: "SNS",
    event: {
      Records: [
        {
          EventSource: "aws:sns",
          Sns: {
            MessageId: "m-1",
            TopicArn: `arn:aws:sns:${ACCOUNT}:prices`,
            Timestamp: "2025-11-24T16:00:00.000Z",
            Message: "{}",
            MessageAttributes: { traceparent: { Type: "String", Value: traceparent(1) } },
          },
        },
      ],
    },
    records: [{ ...sent(1), destination: "prices", identifier: undefined }],
    failing: ["m-1"],
    reported: [],
  },
  {
    name: "S3",
    event: { Records: range(2).map(s3Record) },
    records: range(2).map((n) => ({
      key: `m-${n}`,
      producer: undefined,
      destination: "photos",
      identifier: undefined,
    })),
    failing: ["m-1", "m-2"],
    reported: [],
  },
  {
    name: "ActiveMQ",
    event: {
      eventSource: "aws:mq",
      messages: range(2).map((n) => ({
        messageID: `m-${n}`,
        destination: { physicalName: "tasks" },
        properties: { traceparent: traceparent(n) },
      })),
    },
    records: range(2).map((n) => ({ ...sent(n), destination: "tasks", identifier: undefined })),
    failing: ["m-2"],
    reported: [],
  },
  {
    name: "RabbitMQ, two queues",
    event: {
      eventSource: "aws:rmq",
      rmqMessagesByQueue: Object.fromEntries(
        range(2).map((n) => [
          `queue-${n}::/`,
          [
            {
              basicProperties: {
                messageId: `m-${n}`,
                headers: { traceparent: { bytes: bytes(traceparent(n)) } },
              },
            },
          ],
        ]),
      ),
    },
    records: range(2).map((n) => ({
      ...sent(n),
      destination: `queue-${n}`,
      identifier: undefined,
    })),
    failing: ["m-1"],
    reported: [],
  },
];
