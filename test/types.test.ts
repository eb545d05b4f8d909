import type {
  APIGatewayProxyHandlerV2,
  DynamoDBStreamEvent,
  Handler,
  KinesisStreamEvent,
  MSKEvent,
  S3Event,
  SNSEvent,
  SQSBatchResponse,
  SQSEvent,
  SQSHandler,
  SQSRecord,
} from "aws-lambda";
import { describe, expectTypeOf, it } from "vitest";
import type { KafkaItemIdentifier, processRecords, RecordOf, withTracing } from "../src/index.ts";

type Wrap = typeof withTracing;
type Process = typeof processRecords;

/** The type that `withTracing` gives a handler of type `H`. */
type Wrapped<H extends Parameters<Wrap>[0]> = ReturnType<typeof withTracing<H>>;

describe("the type of a wrapped handler", () => {
  it("is the handler's own, for every style of handler", () => {
    expectTypeOf<Wrapped<SQSHandler>>().toEqualTypeOf<SQSHandler>();
    expectTypeOf<Wrapped<APIGatewayProxyHandlerV2<{ ok: true }>>>().toEqualTypeOf<
      APIGatewayProxyHandlerV2<{ ok: true }>
    >();
    expectTypeOf<Wrapped<Handler<{ id: string }, number>>>().toEqualTypeOf<
      Handler<{ id: string }, number>
    >();
    expectTypeOf<Wrapped<() => 5>>().toEqualTypeOf<() => 5>();
    expectTypeOf<Wrapped<(event: SQSEvent) => Promise<SQSBatchResponse>>>().toExtend<SQSHandler>();
  });
});

describe("processRecords", () => {
  it("hands over the event's own record type", () => {
    expectTypeOf<RecordOf<SQSEvent>>().toEqualTypeOf<SQSRecord>();
    expectTypeOf<RecordOf<KinesisStreamEvent>>().toEqualTypeOf<
      KinesisStreamEvent["Records"][number]
    >();
    expectTypeOf<RecordOf<DynamoDBStreamEvent>>().toEqualTypeOf<
      DynamoDBStreamEvent["Records"][number]
    >();
    expectTypeOf<RecordOf<SNSEvent>>().toEqualTypeOf<SNSEvent["Records"][number]>();
    expectTypeOf<RecordOf<S3Event>>().toEqualTypeOf<S3Event["Records"][number]>();
    expectTypeOf<RecordOf<MSKEvent>>().toEqualTypeOf<MSKEvent["records"][string][number]>();
    expectTypeOf<RecordOf<{ messages: { messageID: string }[] }>>().toEqualTypeOf<{
      messageID: string;
    }>();
    expectTypeOf<
      RecordOf<{ rmqMessagesByQueue: Record<string, { data: string }[]> }>
    >().toEqualTypeOf<{ data: string }>();
    expectTypeOf<RecordOf<SQSRecord[]>>().toEqualTypeOf<SQSRecord>();
  });

  it("answers with what the source takes", () => {
    type Answer<E extends Parameters<Process>[0]> = Awaited<ReturnType<typeof processRecords<E>>>;
    expectTypeOf<Answer<SQSEvent>>().toExtend<SQSBatchResponse>();
    expectTypeOf<
      Answer<MSKEvent>["batchItemFailures"][number]["itemIdentifier"]
    >().toEqualTypeOf<KafkaItemIdentifier>();
  });
});
