import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SOURCE = fileURLToPath(new URL("../src/diag.ts", import.meta.url));

/** What a process that runs this code leaves on stderr, with stdout kept apart. */
function stderrOf(code: string): string[] {
  const program = `
    import { diag } from "@opentelemetry/api";
    import { installDiagLogger, warnOnce } from ${JSON.stringify(SOURCE)};
    const circular = {}; circular.self = circular;
    ${code}
    process.exit(0);`;
  const args = ["--input-type=module", "--eval", program];
  const shell = `exec "$0" "$@" 2>&1 >/dev/null`;
  const output = execFileSync("/bin/sh", ["-c", shell, process.execPath, ...args], {
    encoding: "utf8",
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  return output.split("\n").filter((line) => line !== "");
}

test("a warning is one prefixed line, once, and survives process.exit", () => {
  expect(
    stderrOf(`warnOnce("k", "first"); warnOnce("k", "again"); warnOnce("l", "second");`),
  ).toEqual(["coldspan: first", "coldspan: second"]);
});

test("OpenTelemetry's own log passes from the level on", () => {
  const code = `installDiagLogger("warn", false);
    diag.info("no"); diag.warn("yes", { a: 1 }); diag.error("bad", new Error("why"), circular);`;
  expect(stderrOf(code)).toEqual(['coldspan: yes {"a":1}', "coldspan: bad why [object]"]);
  expect(stderrOf(`installDiagLogger("debug", false); diag.debug("yes");`)).toContain(
    "coldspan: yes",
  );
});

test("the level none is silent, for warnings too", () => {
  expect(
    stderrOf(`installDiagLogger("none", false); diag.error("x"); warnOnce("k", "x");`),
  ).toEqual([]);
});

test("a second line of a message is indented, so that it is not taken for another entry", () => {
  expect(stderrOf(`warnOnce("k", "one\\ntwo");`)).toEqual(["coldspan: one", "  two"]);
});

test("with JSON logs each line is an object with time and level", () => {
  const [line = ""] = stderrOf(`installDiagLogger("warn", true); warnOnce("k", "one\\ntwo");`);
  expect(JSON.parse(line)).toEqual({
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    level: "WARN",
    message: "coldspan: one\ntwo",
  });
});
