/** A function as people write them: three AWS SDK clients, a schema, one call per invocation. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";

/** Answers every call with an empty object: see `support/collector-process.ts`. */
const endpoint = process.env.BENCH_AWS_ENDPOINT;

const dynamoDb = new DynamoDBClient({ endpoint });
const documents = DynamoDBDocumentClient.from(dynamoDb);
export const clients = [dynamoDb, new S3Client({ endpoint }), new SQSClient({ endpoint })];

const Order = z.object({
  id: z.string().min(1),
  customer: z.object({ name: z.string(), email: z.email() }),
  lines: z.array(z.object({ sku: z.string(), quantity: z.int().positive() })).min(1),
});

export const handle = async (event) => {
  const order = Order.parse(JSON.parse(event.body));
  await documents.send(new PutCommand({ TableName: "orders", Item: order }));
  return { statusCode: 201, body: JSON.stringify({ id: order.id }) };
};
