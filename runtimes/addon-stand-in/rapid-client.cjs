/**
 * The functions of aws-lambda-ric's native addon in plain JavaScript, over the same Runtime API.
 * All HTTP happens in a worker thread, as the addon's happens outside JavaScript: the function's
 * own thread sees no request of it, neither on the event loop nor in diagnostics channels.
 */
"use strict";
const { join } = require("node:path");
const { Worker } = require("node:worker_threads");

/** 0 while a post is under way; the worker sets it to 1. */
const posted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Resolvers of `next` calls; each worker message answers the oldest. */
const waiting = [];

const http = new Worker(join(__dirname, "http-thread.cjs"), {
  workerData: { runtimeApi: process.env.AWS_LAMBDA_RUNTIME_API, posted },
  // The function's Node options (preloaded instrumentation) are not meant for this thread.
  env: {},
  execArgv: [],
});
http.unref();
http.on("message", ({ invocation, failure }) => {
  const { resolve, reject } = waiting.shift();
  if (waiting.length === 0) http.unref();
  if (invocation) resolve(invocation);
  else reject(new Error(failure));
});

/** The next invocation as `{ bodyJson, headers }`; keeps the process alive while it waits. */
function next() {
  return new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
    http.ref();
    http.postMessage({ action: "next" });
  });
}

/** Blocks until the response is posted. A failed post is ignored, as in the addon. */
function done(requestId, body) {
  post(`${requestId}/response`, body, "");
}

/** Blocks until the error is posted. A failed post is ignored, as in the addon. */
function error(requestId, body, xrayCause) {
  post(`${requestId}/error`, body, xrayCause);
}

function post(path, body, xrayCause) {
  Atomics.store(posted, 0, 0);
  http.postMessage({ action: "post", path, body, xrayCause });
  Atomics.wait(posted, 0, 0);
}

module.exports = { next, done, error };
