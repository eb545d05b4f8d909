/** Events and answers as text for a span: cut to size, with secrets taken out. */

/** A key that contains one of these, in any letter case, names something secret. */
const SECRET_KEYS = [
  "authorization",
  "cookie",
  "password",
  "passwd",
  "secret",
  "token",
  "apikey",
  "api-key",
  "api_key",
  "credential",
  "session",
  "signature",
];
const REDACTED = "[redacted]";
/** Longer JSON inside a string is left out rather than parsed. */
const MAX_NESTED_JSON_LENGTH = 65_536;
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
  /** Keys whose values are replaced, besides the built-in ones (passwords, tokens, cookies …). */
  readonly redactKeys?: readonly string[];
}

/** Writes a value as JSON-like text. Never throws, whatever the value, and stops at the limit. */
export type PayloadWriter = (value: unknown) => string;

/** Decides once what is secret and how long a payload may be. */
export function createPayloadWriter(options: PayloadOptions): PayloadWriter {
  const secretKeys = [...SECRET_KEYS, ...(options.redactKeys ?? [])].map((key) =>
    key.toLowerCase(),
  );
  const maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
  const isSecret = (key: string) => {
    const lowerCase = key.toLowerCase();
    return secretKeys.some((secret) => lowerCase.includes(secret));
  };
  const secretField = new RegExp(
    `([^=&?;\\s]*(?:${secretKeys.map(escapeRegExp).join("|")})[^=&;\\s]*=)[^&;\\s]*`,
    "gi",
  );
  const redactText = (text: string) => text.replace(secretField, `$1${REDACTED}`);
  return (value) => new Writer({ maxLength, isSecret, redactText }).write(value);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

interface Rules {
  readonly maxLength: number;
  isSecret(key: string): boolean;
  /** Takes secrets out of query strings and form bodies. */
  redactText(text: string): string;
}

/** Walks no further than the text it may keep: a 6 MB event costs as much as its first 2 KB. */
class Writer {
  readonly #rules: Rules;
  #text = "";

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  write(value: unknown): string {
    try {
      this.#value(value, 0);
    } catch {
      this.#add("[unreadable]");
    }
    return this.#isFull ? this.#text.slice(0, this.#rules.maxLength) + CUT : this.#text;
  }

  get #isFull(): boolean {
    return this.#text.length > this.#rules.maxLength;
  }

  #add(text: string): void {
    this.#text += text;
  }

  #value(value: unknown, depth: number): void {
    if (typeof value === "string") this.#string(value, depth);
    else if (typeof value !== "object" || value === null) this.#add(String(value));
    else if (depth >= MAX_DEPTH) this.#add(CUT);
    else if (Array.isArray(value)) this.#array(value, depth);
    else this.#object(value, depth);
  }

  /** Bodies are JSON inside a string: what is secret there is as secret as outside. */
  #string(text: string, depth: number): void {
    const first = text.trimStart()[0];
    if (first !== "{" && first !== "[") {
      this.#add(this.#quote(text));
      return;
    }
    const nested = parseJson(text);
    if (nested === undefined) this.#add(`"[${text.length} characters]"`);
    else this.#value(nested, depth);
  }

  /** A text may be megabytes: only what can be kept is looked at. */
  #quote(text: string): string {
    return JSON.stringify(this.#rules.redactText(text.slice(0, this.#rules.maxLength)));
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
    let isFirst = true;
    this.#add("{");
    for (const key of Object.keys(value)) {
      if (this.#isFull) break;
      this.#add(`${isFirst ? "" : ","}${this.#quote(key)}:`);
      isFirst = false;
      if (this.#rules.isSecret(key)) this.#add(`"${REDACTED}"`);
      else this.#value(Reflect.get(value, key), depth + 1);
    }
    this.#add("}");
  }
}

function parseJson(text: string): unknown {
  if (text.length > MAX_NESTED_JSON_LENGTH) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
