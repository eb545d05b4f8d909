/** Events and answers as text for a span: cut to size, with secrets taken out. */
import { createSecrets, REDACTED, type Secrets } from "./secrets.ts";

/** Longer JSON or base64 inside a string is not looked into. */
const MAX_NESTED_LENGTH = 65_536;
/** Shorter ones are words and ids, and may be base64 by chance. */
const BASE64 = /^[A-Za-z0-9+/]{14,}={0,2}$/;
/** Base64 of bytes is shown up to this length, as an id; a longer one may be anything, gzip included. */
const MAX_ID_LENGTH = 256;
const CONTROL_CHARACTER = /[^\P{Cc}\t\r\n]/u;
const REPLACEMENT = "\uFFFD";
/** `{ "name": "password", "value": … }` */
const LABELS = ["name", "Name", "key", "Key"] as const;
const VALUES = /^values?$/i;
const CUT = "…";
const DEFAULT_MAX_LENGTH = 2_048;
const MAX_DEPTH = 8;

export interface PayloadOptions {
  /** Put the event on the invocation span as `coldspan.request.payload`. Default false. */
  readonly request?: boolean;
  /** Put the answer on it as `coldspan.response.payload`. Default false. */
  readonly response?: boolean;
  /** Length of either in characters, from 1; the rest is cut. Default 2048. */
  readonly maxLength?: number;
  /**
   * Names whose values are replaced, besides the built-in ones (passwords, tokens, cookies …): of keys at
   * any depth, also of JSON and base64 inside a string, of fields of queries and forms, and of
   * `{ name, value }` pairs. A text that names a secret in another notation is left out.
   */
  readonly redactKeys?: readonly string[];
}

/** Writes a value as JSON-like text. Never throws, whatever the value, and stops at the limit. */
export type PayloadWriter = (value: unknown) => string;

/** Decides once what is secret and how long a payload may be. */
export function createPayloadWriter(options: PayloadOptions): PayloadWriter {
  const secrets = createSecrets(options.redactKeys ?? []);
  const maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
  return (value) => new Writer(secrets, maxLength).write(value);
}

/** Walks no further than the text it may keep: a 6 MB event costs as much as its first 2 KB. */
class Writer {
  readonly #secrets: Secrets;
  readonly #maxLength: number;
  #text = "";

  constructor(secrets: Secrets, maxLength: number) {
    this.#secrets = secrets;
    this.#maxLength = maxLength;
  }

  write(value: unknown): string {
    try {
      this.#value(value, 0);
    } catch {
      this.#add("[unreadable]");
    }
    return this.#isFull ? this.#text.slice(0, this.#maxLength) + CUT : this.#text;
  }

  get #isFull(): boolean {
    return this.#text.length > this.#maxLength;
  }

  #add(text: string): void {
    this.#text += text;
  }

  #value(value: unknown, depth: number): void {
    if (typeof value === "string") this.#string(value, depth);
    else if (typeof value !== "object" || value === null) this.#add(String(value));
    else if (depth >= MAX_DEPTH) this.#add(CUT);
    else if (Array.isArray(value)) this.#array(value, depth);
    else if (ArrayBuffer.isView(value)) this.#add(`"[${value.byteLength} bytes]"`);
    else this.#object(value, depth);
  }

  /** Bodies are JSON or base64 inside a string: what is secret there is as secret as outside. */
  #string(text: string, depth: number): void {
    const nested = depth < MAX_DEPTH && parseJson(text);
    if (typeof nested === "object" || typeof nested === "string") {
      this.#value(nested, depth + 1);
      return;
    }
    const decoded = decodeBase64(text);
    if (decoded === undefined) this.#plainText(text);
    else if (decoded === "" || depth >= MAX_DEPTH) this.#leaveOut(text);
    else this.#string(decoded, depth + 1);
  }

  /** A text may be megabytes: only what can be kept is looked at. */
  #plainText(text: string): void {
    const redacted = this.#secrets.redact(text.slice(0, this.#maxLength));
    if (redacted === undefined) this.#leaveOut(text);
    else this.#add(JSON.stringify(redacted));
  }

  #leaveOut(text: string): void {
    this.#add(`"[${text.length} characters]"`);
  }

  #array(values: readonly unknown[], depth: number): void {
    this.#add("[");
    for (let index = 0; index < values.length && !this.#isFull; index++) {
      if (index > 0) this.#add(",");
      this.#value(values[index], depth + 1);
    }
    this.#add("]");
  }

  #object(value: object, depth: number): void {
    const isLabelledSecret = LABELS.some((label) => {
      const name: unknown = Reflect.get(value, label);
      return typeof name === "string" && this.#secrets.isName(name.slice(0, this.#maxLength));
    });
    let isFirst = true;
    this.#add("{");
    for (const key of Object.keys(value)) {
      if (this.#isFull) break;
      if (!isFirst) this.#add(",");
      isFirst = false;
      this.#plainText(key);
      this.#add(":");
      const isSecret = this.#secrets.isName(key) || (isLabelledSecret && VALUES.test(key));
      if (isSecret) this.#add(`"${REDACTED}"`);
      else this.#value(Reflect.get(value, key), depth + 1);
    }
    this.#add("}");
  }
}

/** What a text holds that can be an object, a list or a text again; undefined for any other text. */
function parseJson(text: string): unknown {
  if (text.length > MAX_NESTED_LENGTH || !/^\s*["[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON after all: shown as the text it is, without what looks secret in it.
    return undefined;
  }
}

/** The text that a text is the base64 of; undefined when it is none, empty when nobody can tell what of. */
function decodeBase64(text: string): string | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text.slice(0, MAX_NESTED_LENGTH))) return undefined;
  if (text.length > MAX_NESTED_LENGTH) return "";
  const decoded = Buffer.from(text, "base64").toString("utf8");
  const isText = !decoded.includes(REPLACEMENT) && !CONTROL_CHARACTER.test(decoded);
  if (isText) return decoded;
  return text.length > MAX_ID_LENGTH ? "" : undefined;
}
