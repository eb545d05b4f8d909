/**
 * Unsent requests in files, for the next process of the same execution environment: Lambda keeps `/tmp`
 * when it restarts a function that crashed, exited or timed out.
 *
 * A file belongs to whoever renames it first; it is deleted once its request is settled, and may be
 * claimed again when its owner is gone before that.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { warnOnce } from "../diag.ts";
import { currentOwner, isAlive } from "./process-identity.ts";
import { encodeSpoolFile, parseSpoolFile, type SpoolEntry } from "./spool-file.ts";

/** Of all files together: a share of `/tmp`'s 512 MB that no function misses. */
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;
/** Older spans are worth less than the surprise; the environment of a crash is reused within seconds. */
const MAX_AGE_MS = 3_600_000;
const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY_FILE = 0o600;

/**
 * `<unix ms>-<owner>-<random number>-<hash of the destination>.spans`, while being written with `.part`,
 * once claimed with `.<owner>`.
 */
const FILE_NAME = /^(\d+)-\d+\.\d+-\d+-([0-9a-f]+)\.spans(?:\.(part|\d+\.\d+))?$/;

export interface ClaimedEntry extends SpoolEntry {
  /** Deletes the file. Never throws. */
  readonly remove: () => void;
}

export class FileSpool {
  readonly #directory: string;
  #totalBytes: number | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** False when there is anything in the directory. */
  get isEmpty(): boolean {
    try {
      return readdirSync(this.#directory).length === 0;
    } catch {
      return true; // Most likely it does not exist; a claim says what else is wrong with it.
    }
  }

  /** Writes one file; false when there is no room or no safe place. Synchronous; never throws. */
  write(entry: SpoolEntry): boolean {
    try {
      if (!this.#prepareDirectory()) return false;
      const bytes = encodeSpoolFile(entry);
      this.#totalBytes ??= this.#measure();
      if (this.#totalBytes + bytes.length > MAX_TOTAL_BYTES) return false;
      const name = fileNameFor(entry.destination);
      writeWhole(this.#path(`${name}.part`), bytes);
      renameSync(this.#path(`${name}.part`), this.#path(name));
      this.#totalBytes += bytes.length;
      return true;
    } catch (error) {
      warnOnce("spool.write", `unsent spans cannot be kept in ${this.#directory}: ${error}`);
      return false;
    }
  }

  /**
   * Takes every file for one of these destinations that no living process owns. Deletes what is no
   * proper file of coldspan or too old. Never throws.
   */
  claim(destinations: readonly string[]): ClaimedEntry[] {
    try {
      if (!existsSync(this.#directory) || !this.#isSafe()) return [];
      this.#totalBytes = undefined;
      return readdirSync(this.#directory)
        .sort()
        .flatMap((name) => this.#claim(name, destinations) ?? []);
    } catch (error) {
      warnOnce("spool.claim", `spans left in ${this.#directory} cannot be read: ${error}`);
      return [];
    }
  }

  #claim(name: string, destinations: readonly string[]): ClaimedEntry | undefined {
    const [, writtenMs, hash, suffix] = FILE_NAME.exec(name) ?? [];
    if (writtenMs === undefined) return this.#discard(name, "is not a file of coldspan");
    const ageMs = Date.now() - Number(writtenMs);
    if (Math.abs(ageMs) > MAX_AGE_MS) return this.#discard(name, "is not from the last hour");
    if (suffix === "part") return isFresh(ageMs) ? undefined : this.#discard(name, "is cut off");
    if (suffix !== undefined && isAlive(suffix)) return undefined;
    // Outside Lambda functions share /tmp: another function's spans are its own to send.
    if (!destinations.some((destination) => hashOf(destination) === hash)) return undefined;
    const claimed = `${suffix === undefined ? name : name.slice(0, -suffix.length - 1)}.${currentOwner()}`;
    try {
      renameSync(this.#path(name), this.#path(claimed));
    } catch {
      return undefined; // Another claimed it first.
    }
    const entry = this.#read(claimed);
    if (typeof entry === "string") return this.#discard(claimed, entry);
    // Written by a process that died while this request was under way, or before its outcome was known.
    const mayRepeat = entry.mayRepeat || suffix !== undefined;
    return { ...entry, mayRepeat, remove: () => this.#remove(claimed) };
  }

  /** The file's request, or what is wrong with the file. */
  #read(name: string): SpoolEntry | string {
    // Opening must neither follow a link nor wait for a pipe's other end.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    let file: number;
    try {
      file = openSync(this.#path(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch {
      return "cannot be opened";
    }
    try {
      const { size, uid } = fstatSync(file);
      if (!fstatSync(file).isFile() || uid !== process.getuid?.()) return "is not ours";
      if (size > MAX_TOTAL_BYTES) return "is too large";
      return parseSpoolFile(readFileSync(file)) ?? "is damaged";
    } finally {
      closeSync(file);
    }
  }

  #discard(name: string, reason: string): undefined {
    warnOnce("spool.discard", `${this.#path(name)} ${reason}; it and others like it are deleted`);
    this.#remove(name);
  }

  #remove(name: string): void {
    try {
      // A directory stays: coldspan makes none here, and emptying one is not its business.
      rmSync(this.#path(name), { force: true });
    } catch (error) {
      warnOnce("spool.remove", `${this.#path(name)} cannot be deleted: ${error}`);
    }
  }

  #prepareDirectory(): boolean {
    if (!existsSync(this.#directory)) {
      mkdirSync(this.#directory, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
    }
    return this.#isSafe();
  }

  /** Only a real directory that nobody else may write to is used. */
  #isSafe(): boolean {
    const found = lstatSync(this.#directory);
    const isOurs = found.isDirectory() && found.uid === process.getuid?.();
    if (isOurs && (found.mode & 0o077) === 0) return true;
    warnOnce("spool.unsafe", `${this.#directory} is not this user's own directory: not used`);
    return false;
  }

  #measure(): number {
    return readdirSync(this.#directory)
      .map((name) => lstatSync(this.#path(name)).size)
      .reduce((total, size) => total + size, 0);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

function fileNameFor(destination: string): string {
  const number = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  return `${Date.now()}-${currentOwner()}-${number}-${hashOf(destination)}.spans`;
}

/** FNV-1a of 32 bits, in hexadecimal. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}

/** Another process may be writing it at this moment. */
function isFresh(ageMs: number): boolean {
  return ageMs < 60_000;
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, OWNER_ONLY_FILE);
  try {
    let written = 0;
    while (written < bytes.length) written += writeSync(file, bytes, written);
  } finally {
    closeSync(file);
  }
}
