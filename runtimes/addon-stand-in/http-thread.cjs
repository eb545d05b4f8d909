/** The thread behind rapid-client.cjs: long polls for the next invocation, posts answers. */
"use strict";
const { Agent, request } = require("node:http");
const { parentPort, workerData } = require("node:worker_threads");

const { runtimeApi, posted } = workerData;
const baseUrl = `http://${runtimeApi}/2018-06-01/runtime/invocation/`;
const agent = new Agent({ keepAlive: true });

/** Sent on only when the platform gave them; the other headers are always there. */
const OPTIONAL_HEADERS = [
  "lambda-runtime-client-context",
  "lambda-runtime-cognito-identity",
  "lambda-runtime-aws-tenant-id",
];

parentPort.on("message", ({ action, path, body, xrayCause }) => {
  if (action === "next") getNext();
  else post(path, body, xrayCause);
});

/** No timeout: a freeze may last longer than any. */
function getNext() {
  const fail = (code) =>
    parentPort.postMessage({ failure: `Failed to get next invocation, error ${code}` });
  const outgoing = request(`${baseUrl}next`, { agent }, (response) => {
    const chunks = [];
    response.on("data", (chunk) => chunks.push(chunk));
    response.on("error", () => fail(-1));
    response.on("end", () => {
      if (response.statusCode !== 200) return fail(response.statusCode);
      const bodyJson = Buffer.concat(chunks).toString("utf8");
      parentPort.postMessage({ invocation: { bodyJson, headers: invokeHeaders(response) } });
    });
  });
  outgoing.on("error", () => fail(-1));
  outgoing.end();
}

function post(path, body, xrayCause) {
  const release = () => {
    Atomics.store(posted, 0, 1);
    Atomics.notify(posted, 0);
  };
  const bytes = Buffer.from(body, "utf8");
  const headers = { "content-type": "application/json", "content-length": bytes.length };
  // Node writes header text as Latin-1; this makes the bytes on the wire UTF-8.
  const cause = Buffer.from(xrayCause, "utf8").toString("latin1");
  if (cause !== "") headers["lambda-runtime-function-xray-error-cause"] = cause;
  const outgoing = request(`${baseUrl}${path}`, { method: "POST", agent, headers }, (response) => {
    response.on("error", release);
    response.on("end", release);
    response.resume();
  });
  outgoing.on("error", release);
  outgoing.end(bytes);
}

function invokeHeaders({ headers }) {
  const text = (name) => Buffer.from(headers[name] ?? "", "latin1").toString("utf8");
  const found = {
    "lambda-runtime-deadline-ms": Number(text("lambda-runtime-deadline-ms")),
    "lambda-runtime-aws-request-id": text("lambda-runtime-aws-request-id"),
    "lambda-runtime-trace-id": text("lambda-runtime-trace-id"),
    "lambda-runtime-invoked-function-arn": text("lambda-runtime-invoked-function-arn"),
  };
  for (const name of OPTIONAL_HEADERS) if (headers[name]) found[name] = text(name);
  return found;
}
