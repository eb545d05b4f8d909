// Preloaded into the function: another library's extension inside the process. It asks for no event,
// and so Lambda sends SIGTERM 500 ms before it ends the process.
const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension`;
const { headers } = await fetch(`${base}/register`, {
  method: "POST",
  headers: { "lambda-extension-name": "other" },
  body: JSON.stringify({ events: [] }),
});
const identifier = headers.get("lambda-extension-identifier");
// Its poll lasts as long as the process.
fetch(`${base}/event/next`, { headers: { "lambda-extension-identifier": identifier } }).catch(
  () => undefined,
);
