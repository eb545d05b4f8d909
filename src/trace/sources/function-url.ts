import { describePayloadResult } from "../http-result.ts";
import { asObject } from "../shape.ts";
import type { Source } from "../source.ts";
import { describePayloadV2, isPayloadV2 } from "./api-gateway-v2.ts";

/** Lambda function URLs: payload format 2.0 under `{id}.lambda-url.{region}.on.aws`, without routes. */
export const functionUrl: Source = {
  name: "function-url",
  match: (event) => {
    const domain = asObject(event.requestContext).domainName;
    return typeof domain === "string" && domain.includes(".lambda-url.") && isPayloadV2(event);
  },
  describe: (event) => ({
    ...describePayloadV2(event, undefined),
    describeResult: describePayloadResult,
  }),
};
