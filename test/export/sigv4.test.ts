import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, test } from "vitest";
import { signHeaders } from "../../src/export/sigv4.ts";
import { makeManySpans, makeSpans } from "../support/sample-spans.ts";
import { serveHttp } from "./support/http-server.ts";
import { openDestination } from "./support/open-destination.ts";

const URL_OF_XRAY = new URL("https://xray.eu-west-1.amazonaws.com/v1/traces");
const SCOPE = { region: "eu-west-1", service: "xray" };

/** The hash that AWS's own signer asks for. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string);
  }

  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("not used");
  }
}

test("any request is signed as AWS's own signer signs it", async () => {
  const header = fc.stringMatching(/^[ -~]{0,40}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.record({
        accessKeyId: fc.stringMatching(/^[A-Z0-9]{20}$/),
        secretAccessKey: fc.stringMatching(/^[ -~]{1,40}$/),
        sessionToken: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{1,80}$/), { nil: undefined }),
      }),
      fc.dictionary(fc.stringMatching(/^x-[a-z0-9-]{1,12}$/), header, { maxKeys: 4 }),
      fc.date({ min: new Date(0), max: new Date("2200-01-01"), noInvalidDate: true }),
      async (body, { sessionToken, ...keys }, own, date) => {
        const headers = {
          host: URL_OF_XRAY.host,
          "content-type": "application/x-protobuf",
          "user-agent": "coldspan/1.2.3",
          ...own,
        };
        const credentials = { ...keys, sessionToken };
        const signer = new SignatureV4({
          ...SCOPE,
          credentials: sessionToken === undefined ? keys : { ...keys, sessionToken },
          sha256: Sha256,
        });
        const request = {
          method: "POST",
          protocol: "https:",
          hostname: URL_OF_XRAY.host,
          path: URL_OF_XRAY.pathname,
          headers,
          body,
        };

        const expected = await signer.sign(request, { signingDate: date });

        expect(signHeaders(URL_OF_XRAY, headers, body, SCOPE, credentials, date)).toEqual(
          expected.headers,
        );
      },
    ),
    { numRuns: 200 },
  );
});

test("requests to an AWS endpoint are signed over the bytes that go out", async () => {
  const { endpoint, calls } = await serveHttp();
  const destination = await openDestination({
    protocol: "http/protobuf",
    endpoint,
    compression: "gzip",
    sigv4: {
      ...SCOPE,
      credentials: () => ({
        accessKeyId: "AKIDEXAMPLE",
        secretAccessKey: "s3cr3t",
        sessionToken: "t0ken",
      }),
    },
  });

  const outcome = await destination.send(destination.encode(makeSpans()), 2000);

  expect(outcome.status).toBe("success");
  expect(calls[0]?.headers).toMatchObject({
    "content-encoding": "gzip",
    "x-amz-security-token": "t0ken",
    "x-amz-content-sha256": expect.stringMatching(/^[0-9a-f]{64}$/),
    authorization: expect.stringMatching(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/xray\/aws4_request, SignedHeaders=content-encoding;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    ),
  });
  expect(destination.maxRequestSpans).toBe(10_000);
  expect(destination.maxRequestBytes).toBeLessThanOrEqual(5_000_000);
});

test("credentials that are not to be had leave the spans for later, unsaid", async () => {
  const { endpoint, calls } = await serveHttp();
  const destination = await openDestination({
    protocol: "http/protobuf",
    endpoint,
    sigv4: { ...SCOPE, credentials: () => Promise.reject(new Error("AKIDEXAMPLE s3cr3t")) },
  });

  const outcome = await destination.send(destination.encode(makeManySpans(1)), 100);

  expect(outcome).toMatchObject({ status: "retryable", answerLost: false });
  expect(outcome.status === "retryable" && outcome.error.message).not.toContain("s3cr3t");
  expect(calls).toHaveLength(0);
});
