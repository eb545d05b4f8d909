// Plain JavaScript: it runs on whatever Node the machine has, before the pinned one is installed.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";

const LOCK = "package-lock.json";
const INSTALLED = "node_modules/.package-lock.json";
const PINNED_NODE = "node_modules/node/bin/node";

function isInstalled() {
  if (!existsSync(INSTALLED) || !existsSync(PINNED_NODE)) return false;
  return statSync(INSTALLED).mtimeMs >= statSync(LOCK).mtimeMs;
}

if (!isInstalled()) {
  console.log("Installing dependencies (first run only) …");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (npm.status !== 0) process.exit(npm.status ?? 1);
}
