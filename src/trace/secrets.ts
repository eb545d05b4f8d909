/** What is secret in an event or an answer: told by the names of things, for nothing else tells it. */

/** A name with one of these in it, in any letter case, is that of a secret. Patterns. */
const SECRET_NAMES = [
  "access[-_]?key",
  "api[-_]?key",
  "authorization",
  "cookie",
  "credential",
  "jwt",
  "passphrase",
  "passwd",
  "password",
  "private[-_]?key",
  "pwd",
  "secret",
  "session",
  "signature",
  "token",
];

/** Stands for a secret. */
export const REDACTED = "[redacted]";

/** What query strings, form bodies and cookies put between their fields. */
const FIELD = /[^&;\s]+/g;

export interface Secrets {
  /** Whether what has this name is secret. */
  isName(name: string): boolean;
  /**
   * The text with the values of its secret fields (`name=value`) replaced; undefined when it names a secret in
   * another notation, whose end nobody can tell. Linear in the text's length.
   */
  redact(text: string): string | undefined;
}

/** The secrets that everybody has, and those of these names. */
export function createSecrets(names: readonly string[]): Secrets {
  const any = [...SECRET_NAMES, ...names.filter(Boolean).map(escapeName)].join("|");
  const secret = new RegExp(any, "i");
  // Spaces or quotes beside the equals sign, or a sign of JSON, YAML, XML, or of their encodings.
  const otherNotation = new RegExp(
    `(?:${any})[\\w-]{0,32}(?:\\s{0,4}["'\\\\:>%]|\\s{1,4}=|=["'\\s])`,
    "i",
  );
  return {
    isName: (name) => secret.test(name),
    redact(text) {
      if (otherNotation.test(text)) return undefined;
      return text.replace(FIELD, (field) => redactField(field, secret));
    },
  };
}

/** A name begins after what surrounds it in a URL; a value lasts to the field's end. */
function redactField(field: string, secret: RegExp): string {
  let start = 0;
  for (let end = field.indexOf("="); end !== -1; end = field.indexOf("=", start)) {
    const before = field.slice(start, end);
    const name = before.slice(Math.max(before.lastIndexOf("?"), before.lastIndexOf("/")) + 1);
    start = end + 1;
    if (secret.test(name)) return field.slice(0, start) + REDACTED;
  }
  return field;
}

function escapeName(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
