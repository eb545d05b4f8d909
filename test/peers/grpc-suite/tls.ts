/** TLS against other people's TLS stacks: BoringSSL's kin in the C core, OpenSSL in Node. */
import { describe, expect, test } from "vitest";
import { openDestination } from "../../export/support/open-destination.ts";
import { createAuthority } from "../../support/certificates.ts";
import { clientFiles, identityFiles, writeTemporary } from "../support/temporary.ts";
import type { Serve } from "./serve.ts";

const REQUEST = Buffer.from("spans");
const TIMEOUT_MS = 5000;
/** For connections that cannot come about; each try is refused at once. */
const SHORT_MS = 300;

export function testTls(serve: Serve): void {
  describe("TLS", () => {
    const authority = createAuthority();
    const tls = authority.issue({ usage: "server" });

    test("trusts the configured authority only", async () => {
      const { endpoint } = await serve({ tls });
      const caFile = writeTemporary("ca.pem", authority.cert);
      const trusting = await openDestination({ endpoint, caFile });
      const wary = await openDestination({ endpoint });

      expect(await trusting.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
      expect(await wary.send(REQUEST, SHORT_MS)).toMatchObject({
        status: "retryable",
        answerLost: false,
        error: { message: expect.stringMatching(/certificate/) },
      });
    });

    test("shows the client's certificate to a server that asks for one", async () => {
      const { endpoint, calls } = await serve({ tls: { ...tls, clientCa: authority.cert } });
      const caFile = writeTemporary("ca.pem", authority.cert);
      const stranger = createAuthority("another CA").issue({ usage: "client" });
      const open = (identity: object) => openDestination({ endpoint, caFile, ...identity });
      const known = await open(identityFiles(authority));
      const unknown = await open(clientFiles(stranger));
      const anonymous = await open({});

      expect(await known.send(REQUEST, TIMEOUT_MS)).toMatchObject({ status: "success" });
      expect(await unknown.send(REQUEST, SHORT_MS)).toMatchObject({ status: "retryable" });
      expect(await anonymous.send(REQUEST, SHORT_MS)).toMatchObject({ status: "retryable" });
      expect(await calls()).toHaveLength(1);
    });
  });
}
