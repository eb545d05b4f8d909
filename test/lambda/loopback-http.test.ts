import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { LoopbackHttp, parseAnswer } from "../../src/lambda/loopback-http.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(
  listener: Listener,
): Promise<{ http: LoopbackHttp; connections: () => number }> {
  let connections = 0;
  const server = createServer(listener);
  server.on("connection", () => {
    connections++;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { http: new LoopbackHttp(`127.0.0.1:${port}`), connections: () => connections };
}

const GET = { method: "GET", path: "/next", headers: {} } as const;

describe("against Node's own server", () => {
  test("a request arrives as it was meant", async () => {
    const { http } = await serve((request, response) => {
      void text(request).then((body) => {
        const { method, url, headers } = request;
        response.setHeader("X-Answer", " yes ").end(JSON.stringify({ method, url, headers, body }));
      });
    });
    const answer = await http.send({
      method: "POST",
      path: "/register",
      headers: { "Lambda-Extension-Name": "coldspan" },
      body: '{"events":[]}',
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-answer")).toBe("yes");
    expect(JSON.parse(answer.body)).toMatchObject({
      method: "POST",
      url: "/register",
      headers: { "lambda-extension-name": "coldspan" },
      body: '{"events":[]}',
    });
  });

  test("requests share one connection", async () => {
    const { http, connections } = await serve((_, response) => response.end("ok"));
    for (let turn = 0; turn < 10; turn++) expect((await http.send(GET)).body).toBe("ok");
    expect(connections()).toBe(1);
  });

  test("a body of any size and script arrives whole, chunked or not", async () => {
    const body = "Zürich, 東京, 🧊 ".repeat(5_000);
    const { http } = await serve((request, response) => {
      if (request.url === "/chunked")
        for (const part of body.match(/.{1,997}/gu) ?? []) response.write(part);
      response.end(request.url === "/chunked" ? undefined : body);
    });
    expect((await http.send({ ...GET, path: "/chunked" })).body).toBe(body);
    expect((await http.send(GET)).body).toBe(body);
  });

  test("an answer without a body is one", async () => {
    const { http } = await serve((_, response) =>
      response.writeHead(403, { "Content-Length": "0" }).end(),
    );
    expect(await http.send(GET)).toMatchObject({ status: 403, body: "" });
  });

  test("a broken connection rejects, and the next request opens another one", async () => {
    let requests = 0;
    const { http, connections } = await serve((request, response) => {
      requests++;
      if (requests === 1) request.socket.destroy();
      else response.end("ok");
    });
    await expect(http.send(GET)).rejects.toThrow();
    expect((await http.send(GET)).body).toBe("ok");
    expect(connections()).toBe(2);
  });

  test("a connection that the server closed in between is replaced", async () => {
    const { http, connections } = await serve((_, response) => {
      response.setHeader("Connection", "close").end("ok");
    });
    await http.send(GET);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await http.send(GET)).body).toBe("ok");
    expect(connections()).toBe(2);
  });

  test("nobody at the other end rejects", async () => {
    await expect(new LoopbackHttp("127.0.0.1:1").send(GET)).rejects.toThrow("ECONNREFUSED");
  });
});

describe("an answer in pieces", () => {
  const WHOLE =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

  test("is none until it is whole", () => {
    for (let length = 0; length < WHOLE.length; length++) {
      expect(parseAnswer(WHOLE.slice(0, length))).toBeUndefined();
    }
    expect(parseAnswer(WHOLE)).toMatchObject({ status: 200, body: "hello world" });
  });

  test("of any other bytes makes no answer and no exception", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 300 }), (noise) => {
        const parsed = parseAnswer(`${noise}\r\n\r\n`);
        expect(parsed === undefined || parsed instanceof Error || parsed.status >= 100).toBe(true);
      }),
    );
  });

  test.each([
    ["a protocol of its own", "SSH-2.0-OpenSSH\r\n\r\n"],
    ["a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n"],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"],
    ["more than a mebibyte", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(1_048_576)}`],
  ])("with %s is an error", (_, answer) => {
    expect(parseAnswer(answer)).toBeInstanceOf(Error);
  });
});
