// Preloaded into the function: the name server is down until the file `NAME_SERVER_IS_UP` exists.
const dns = require("node:dns");
const { existsSync } = require("node:fs");

const { lookup } = dns;
dns.lookup = (host, ...rest) => {
  const isKnown = host === "collector.invalid" && existsSync(process.env.NAME_SERVER_IS_UP);
  return lookup(isKnown ? "127.0.0.1" : host, ...rest);
};
