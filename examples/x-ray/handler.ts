import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { addMetadata, annotate, withTracing } from "coldspan";

export const handler = withTracing(async (event: APIGatewayProxyEventV2) => {
  annotate("cart", event.pathParameters?.cartId ?? "none");
  addMetadata("query", event.queryStringParameters ?? {});
  return { statusCode: 204 };
});
