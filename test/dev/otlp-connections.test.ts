import { once } from "node:events";
import type { ClientHttp2Session } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OtlpReceiver, startOtlpReceiver } from "../../src/dev/otlp-receiver.ts";
import { createAuthority } from "../support/certificates.ts";
import { call, closing, encodeSpans, frame, openSession, post } from "../support/raw-export.ts";

const TWO_SPANS = frame(encodeSpans(2));
const ACCEPTED = { trailers: { "grpc-status": "0" }, rstCode: 0 };

let receiver: OtlpReceiver;
let session: ClientHttp2Session;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  session = openSession(receiver.grpcUrl);
});

afterEach(async () => {
  session.destroy();
  await receiver.close();
});

describe("connections", () => {
  it("that fall silent answer nothing, while new ones are served", async () => {
    await call(session, TWO_SPANS);
    receiver.silenceConnections();
    let hasPong = false;
    session.ping(() => {
      hasPong = true;
    });
    const lost = call(session, TWO_SPANS);
    const fresh = openSession(receiver.grpcUrl);
    expect(await call(fresh, TWO_SPANS)).toMatchObject(ACCEPTED);
    expect(hasPong).toBe(false);
    expect(session.closed).toBe(false);
    expect(receiver.requests()).toHaveLength(2);
    fresh.destroy();
    session.destroy();
    await lost;
  });

  it.each([
    ["drained", () => receiver.drainConnections()],
    ["ended", () => receiver.endConnections()],
    ["reset", () => receiver.resetConnections()],
  ])("can be %s while idle", async (_, cut) => {
    await call(session, TWO_SPANS);
    const closed = closing(session);
    cut();
    await closed;
    session = openSession(receiver.grpcUrl);
    expect(await call(session, TWO_SPANS)).toMatchObject(ACCEPTED);
    expect(receiver.requests().map(({ connection }) => connection)).toEqual([0, 1]);
  });

  it.each(["hang-up", "reset"] as const)("that are met with %s never work", async (how) => {
    receiver.welcome(how);
    const met = connectTcp(Number(new URL(receiver.grpcUrl).port), "127.0.0.1");
    let isEnded = false;
    met.on("end", () => {
      isEnded = true;
    });
    await closing(met.resume());
    expect(isEnded).toBe(how === "hang-up");
  });

  it("that are met with silence are open and dead until the receiver closes", async () => {
    receiver.welcome("ignore");
    const met = connectTcp(Number(new URL(receiver.grpcUrl).port), "127.0.0.1");
    await once(met, "connect");
    met.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const closed = closing(met.resume());
    expect(receiver.requests()).toEqual([]);
    await receiver.close();
    await closed;
    expect(met.bytesRead).toBe(0);
  });

  it("that wait for an answer do not hold up the end", async () => {
    receiver.behave({ kind: "black-hole" });
    const lost = post(receiver, encodeSpans(1)).catch((error: unknown) => error);
    const lostCall = call(session, TWO_SPANS);
    await receiver.waitForRequests(2);
    await receiver.close();
    expect(await lost).toBeInstanceOf(Error);
    expect(await lostCall).toMatchObject({ trailers: {} });
    receiver = await startOtlpReceiver();
  });

  it("that are cut the moment an answer counts have delivered it", async () => {
    const posted = post(receiver, encodeSpans(1));
    await receiver.waitForRequests(([request]) => {
      if (request?.answered) receiver.endConnections();
      return request?.answered === true;
    });
    expect((await posted).status).toBe(200);
  });

  it("are refused while the receiver is stopped, and served on the same port after", async () => {
    await call(session, TWO_SPANS);
    const closed = closing(session);
    await receiver.stop();
    await closed;
    const refused = connectTcp(Number(new URL(receiver.grpcUrl).port), "127.0.0.1");
    const [error] = await once(refused, "error");
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
    await receiver.restart();
    session = openSession(receiver.grpcUrl);
    expect(await call(session, TWO_SPANS)).toMatchObject(ACCEPTED);
  });
});

it("changes its certificate while it runs", async () => {
  const first = createAuthority();
  const second = createAuthority();
  const secure = await startOtlpReceiver({ tls: first.issue({ usage: "server" }) });
  const { port } = new URL(secure.grpcUrl);
  const isTrusted = async (ca: string): Promise<boolean> => {
    const socket = connectTls({
      host: "localhost",
      port: Number(port),
      ca,
      rejectUnauthorized: false,
    });
    await once(socket, "secureConnect");
    socket.destroy();
    return socket.authorized;
  };
  expect([await isTrusted(first.cert), await isTrusted(second.cert)]).toEqual([true, false]);
  secure.useCertificate(second.issue({ usage: "server" }));
  expect([await isTrusted(first.cert), await isTrusted(second.cert)]).toEqual([false, true]);
  await secure.close();
});
