import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { currentOwner, isAlive } from "../../src/lambda/process-identity.ts";
import { FileSpool } from "../../src/lambda/spool.ts";
import { encodeSpoolFile, parseSpoolFile, type SpoolEntry } from "../../src/lambda/spool-file.ts";
import { runScript, startScript } from "../support/child.ts";

const DESTINATION = "otlp/grpc collector:4317";

const ENTRY: SpoolEntry = {
  destination: DESTINATION,
  request: Buffer.from("an encoded request"),
  spanCount: 3,
  mayRepeat: false,
};

/** A process that has ended: id 1 started at the boot, not at tick 7. */
const DEAD_OWNER = "1.7";

function makeDirectory(): string {
  const parent = mkdtempSync(join(tmpdir(), "coldspan-spool-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, "coldspan");
}

function onlyFileIn(directory: string): string {
  const [name, ...others] = readdirSync(directory);
  if (name === undefined || others.length > 0) throw new Error(`${others.length + 1} files`);
  return join(directory, name);
}

/** The path under which the file would stand had it been written `ageMs` ago. */
function aged(path: string, ageMs: number): string {
  return path.replace(/\/(\d+)-(?=[^/]*$)/, (_, ms) => `/${Number(ms) - ageMs}-`);
}

describe("a written request", () => {
  test("is claimed once, as it was, and gone when it is removed", () => {
    const directory = makeDirectory();
    expect(new FileSpool(directory).write(ENTRY)).toBe(true);
    const claimed = new FileSpool(directory).claim([DESTINATION]);
    expect(claimed).toMatchObject([{ ...ENTRY, request: expect.anything() }]);
    expect(Buffer.from(claimed[0]?.request ?? []).toString()).toBe("an encoded request");
    expect(new FileSpool(directory).claim([DESTINATION])).toEqual([]);
    claimed[0]?.remove();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("is readable by its owner only", () => {
    const directory = makeDirectory();
    new FileSpool(directory).write(ENTRY);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(onlyFileIn(directory)).mode & 0o777).toBe(0o600);
  });

  test("is claimed again, as possibly sent, when its claimer is gone", () => {
    const directory = makeDirectory();
    new FileSpool(directory).write(ENTRY);
    const path = onlyFileIn(directory);
    renameSync(path, `${path}.${DEAD_OWNER}`);
    expect(new FileSpool(directory).claim([DESTINATION])).toMatchObject([
      { spanCount: 3, mayRepeat: true },
    ]);
  });

  test("is claimed by one of many processes that race for it", async () => {
    const directory = makeDirectory();
    const spool = new FileSpool(directory);
    for (let i = 0; i < 50; i++) spool.write({ ...ENTRY, request: Buffer.from(`request ${i}`) });
    const racers = Array.from({ length: 4 }, () =>
      startScript(`
        import { FileSpool } from "./src/lambda/spool.ts";
        console.log("ready");
        process.stdin.once("data", () => {
          const claimed = new FileSpool(${JSON.stringify(directory)}).claim(['otlp/grpc collector:4317']);
          console.log(claimed.map(({ request }) => Buffer.from(request).toString()).join(","));
          console.log("done");
        });
      `),
    );
    await Promise.all(racers.map((racer) => racer.printed("ready")));
    for (const racer of racers) racer.process.stdin?.write("go");
    // Each lives until all have claimed: what a dead one holds may be claimed again.
    await Promise.all(racers.map((racer) => racer.printed("done")));
    for (const racer of racers) racer.process.stdin?.end();
    const outputs = await Promise.all(racers.map((racer) => racer.finished));
    const claims = outputs.flatMap(({ stdout }) => stdout.match(/request \d+/g) ?? []);
    expect(claims).toHaveLength(50);
    expect(new Set(claims).size).toBe(50);
    // Those that a racer claimed and left are claimed again by the next.
    const left = new FileSpool(directory).claim([DESTINATION]);
    expect(left).toHaveLength(50);
  });

  test("is left to those who have its destination", () => {
    const directory = makeDirectory();
    new FileSpool(directory).write(ENTRY);
    expect(new FileSpool(directory).claim(["otlp/grpc elsewhere:4317"])).toEqual([]);
    expect(new FileSpool(directory).claim(["console", DESTINATION])).toHaveLength(1);
  });

  test("older than an hour is deleted, not sent", () => {
    const directory = makeDirectory();
    new FileSpool(directory).write(ENTRY);
    const path = onlyFileIn(directory);
    renameSync(path, aged(path, 3_600_001));
    expect(new FileSpool(directory).claim([DESTINATION])).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });
});

test("the spool takes 16 MiB and no more", () => {
  const directory = makeDirectory();
  const spool = new FileSpool(directory);
  const large = { ...ENTRY, request: Buffer.alloc(5 * 1024 * 1024) };
  expect([1, 2, 3, 4].map(() => spool.write(large))).toEqual([true, true, true, false]);
  expect(new FileSpool(directory).write(large), "in another process, too").toBe(false);
  expect(new FileSpool(directory).write(ENTRY)).toBe(true);
});

test("a spool is empty until something is written", () => {
  const spool = new FileSpool(makeDirectory());
  expect(spool.isEmpty).toBe(true);
  spool.write(ENTRY);
  expect(spool.isEmpty).toBe(false);
});

test("a claim makes no directory and needs none", () => {
  const directory = makeDirectory();
  expect(new FileSpool(directory).claim([DESTINATION])).toEqual([]);
  expect(existsSync(directory)).toBe(false);
});

describe("what is not a whole file of ours", () => {
  test.each([
    ["cut off", (path: string) => truncateSync(path, statSync(path).size - 1)],
    ["empty", (path: string) => truncateSync(path, 0)],
    ["changed in one bit", (path: string) => flipBit(path)],
    ["longer than it says", (path: string) => writeFileSync(path, "x", { flag: "a" })],
    ["a symbolic link", (path: string) => replaceByLink(path)],
    ["a pipe", (path: string) => replaceByPipe(path)],
  ])("is deleted and not sent when it is %s", (_, spoil) => {
    const directory = makeDirectory();
    new FileSpool(directory).write(ENTRY);
    spoil(onlyFileIn(directory));
    expect(new FileSpool(directory).claim([DESTINATION])).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("is deleted when coldspan would not have named it so", () => {
    const directory = makeDirectory();
    mkdirSync(directory, { mode: 0o700 });
    for (const name of [
      "notes.txt",
      ".spans",
      "1-2-3.spans",
      "1-2.3-4.spans.../x".replace("/", ""),
    ]) {
      writeFileSync(join(directory, name), "x");
    }
    expect(new FileSpool(directory).claim([DESTINATION])).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("is left alone while another process may be writing it", () => {
    const directory = makeDirectory();
    new FileSpool(directory).write(ENTRY);
    const path = onlyFileIn(directory);
    renameSync(path, `${path}.part`);
    expect(new FileSpool(directory).claim([DESTINATION])).toEqual([]);
    expect(readdirSync(directory)).toHaveLength(1);
    renameSync(`${path}.part`, `${aged(path, 60_001)}.part`);
    expect(new FileSpool(directory).claim([DESTINATION])).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("never harms what a link in the spool points to", () => {
    const directory = makeDirectory();
    new FileSpool(directory).write(ENTRY);
    const path = onlyFileIn(directory);
    const target = join(directory, "..", "target");
    writeFileSync(target, "precious");
    rmSync(path);
    symlinkSync(target, path);
    new FileSpool(directory).claim([DESTINATION]);
    expect(readFileSync(target, "utf8")).toBe("precious");
  });

  test("is not even looked at in a directory that others may write to", () => {
    const directory = makeDirectory();
    new FileSpool(directory).write(ENTRY);
    chmodSync(directory, 0o777);
    expect(new FileSpool(directory).claim([DESTINATION])).toEqual([]);
    expect(new FileSpool(directory).write(ENTRY)).toBe(false);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  test.each(["a link", "a file", "a dangling link"])(
    "cannot be where %s stands for the directory",
    (kind) => {
      const directory = makeDirectory();
      const elsewhere = `${directory}-elsewhere`;
      if (kind === "a file") writeFileSync(directory, "x");
      else symlinkSync(elsewhere, directory);
      if (kind === "a link") mkdirSync(elsewhere, { mode: 0o700 });
      expect(new FileSpool(directory).write(ENTRY)).toBe(false);
      expect(new FileSpool(directory).claim([DESTINATION])).toEqual([]);
      if (kind === "a link") expect(readdirSync(elsewhere)).toEqual([]);
    },
  );

  test("a directory inside the spool stays and does no harm", () => {
    const directory = makeDirectory();
    mkdirSync(join(directory, "inner"), { recursive: true, mode: 0o700 });
    new FileSpool(directory).write(ENTRY);
    expect(new FileSpool(directory).claim([DESTINATION])).toHaveLength(1);
    expect(lstatSync(join(directory, "inner")).isDirectory()).toBe(true);
  });
});

describe("the file format", () => {
  test("gives back what was put in", () => {
    const entry = fc.record({
      destination: fc.string({ maxLength: 100, unit: "grapheme" }),
      request: fc.uint8Array({ maxLength: 1_000 }),
      spanCount: fc.integer({ min: 1 }),
      mayRepeat: fc.boolean(),
    });
    fc.assert(
      fc.property(entry, (given) => {
        const parsed = parseSpoolFile(encodeSpoolFile(given));
        expect(parsed).toMatchObject({ ...given, request: expect.anything() });
        expect(digest(parsed?.request)).toBe(digest(given.request));
      }),
    );
  });

  test("refuses any other bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(parseSpoolFile(bytes)).toBeUndefined();
      }),
    );
  });

  test("refuses a header of JSON that is none of its own", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(parseSpoolFile(Buffer.from(`${json}\n`))).toBeUndefined();
      }),
    );
  });

  test("refuses a whole file with any part changed", () => {
    const whole = encodeSpoolFile(ENTRY);
    fc.assert(
      fc.property(
        fc.nat(ENTRY.request.length - 1),
        fc.integer({ min: 1, max: 255 }),
        (back, xor) => {
          const changed = Uint8Array.from(whole);
          const index = whole.length - 1 - back;
          changed[index] = (whole[index] ?? 0) ^ xor;
          expect(parseSpoolFile(changed)).toBeUndefined();
        },
      ),
    );
  });
});

test("a process is told from a later one with the same id", async () => {
  expect(isAlive(currentOwner())).toBe(true);
  expect(isAlive(`${process.pid}.1`)).toBe(false);
  const { stdout } = await runScript(`
    import { currentOwner } from "./src/lambda/process-identity.ts";
    console.log(currentOwner());
  `);
  expect(isAlive(stdout.trim())).toBe(false);
});

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

function replaceByLink(path: string): void {
  renameSync(path, `${path}-aside`);
  linkSync(`${path}-aside`, join(path, "..", "..", "kept"));
  rmSync(`${path}-aside`);
  symlinkSync(join(path, "..", "..", "kept"), path);
}

function replaceByPipe(path: string): void {
  rmSync(path);
  execFileSync("mkfifo", [path]);
}

function digest(bytes: Uint8Array | undefined): string {
  return createHash("sha256")
    .update(bytes ?? "")
    .digest("hex");
}
