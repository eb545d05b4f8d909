/** Typed readers of environment variables (specification: configuration/sdk-environment-variables.md). */

/** What is read, and where a complaint goes: once per bad value, never thrown. */
export interface Settings {
  /** The variable's value, or that of the init option which stands for it. */
  readonly valueOf: (name: string) => string | undefined;
  /** What a warning calls it. */
  readonly labelOf: (name: string) => string;
  readonly warn: (message: string) => void;
}

/** Whole or decimal, no exponent, no unit: `5s` and `1e3` are mistakes, not numbers. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)$/;
/** Characters of a bad value that a warning shows: more would only fill the log. */
const SHOWN_CHARACTERS = 60;

/** The value without blanks around it; `undefined` when it is unset or empty. */
export function readString(settings: Settings, name: string): string | undefined {
  return settings.valueOf(name)?.trim() || undefined;
}

/** True only for `true` in any letter case. */
export function readBoolean(settings: Settings, name: string): boolean {
  const value = readString(settings, name)?.toLowerCase();
  if (value === undefined || value === "true" || value === "false") return value === "true";
  rejectValue(settings, name, { value, expected: "true or false", used: "false" });
  return false;
}

export interface NumberRange {
  readonly min: number;
  readonly max?: number;
  readonly integer?: boolean;
}

/** A number in the range, else the fallback. Fallback `undefined` stands for "not set". */
export function readNumber<Fallback extends number | undefined>(
  settings: Settings,
  name: string,
  fallback: Fallback,
  { min, max = Number.MAX_SAFE_INTEGER, integer = true }: NumberRange,
): number | Fallback {
  const value = readString(settings, name);
  if (value === undefined) return fallback;
  const number = NUMBER.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max && (!integer || Number.isInteger(number))) return number;
  const kind = integer ? "a whole number" : "a number";
  const bounds = max === Number.MAX_SAFE_INTEGER ? `from ${min} up` : `from ${min} to ${max}`;
  const used = fallback === undefined ? "the default" : String(fallback);
  rejectValue(settings, name, { value, expected: `${kind} ${bounds}`, used });
  return fallback;
}

/** One of the choices, in any letter case, else the fallback. */
export function readChoice<Choice extends string, Fallback extends Choice | undefined>(
  settings: Settings,
  name: string,
  choices: readonly Choice[],
  fallback: Fallback,
): Choice | Fallback {
  const value = readString(settings, name);
  if (value === undefined) return fallback;
  const choice = choices.find((known) => known === value.toLowerCase());
  if (choice !== undefined) return choice;
  rejectValue(settings, name, {
    value,
    expected: `one of ${choices.join(", ")}`,
    used: fallback ?? "the default",
  });
  return fallback;
}

/** The items of a comma list, without blanks and empty items; `undefined` when there is none. */
export function readList(settings: Settings, name: string): readonly string[] | undefined {
  const items = splitList(readString(settings, name) ?? "");
  return items.length > 0 ? items : undefined;
}

/**
 * The known, distinct items of a comma list in their order; an unknown item warns and is left out.
 * `none` alone is the empty list; beside others it says nothing and is left out too.
 */
export function readChoices<Choice extends string>(
  settings: Settings,
  name: string,
  choices: readonly Choice[],
  fallback: readonly Choice[],
): readonly Choice[] {
  const items = readList(settings, name);
  if (items === undefined) return fallback;
  const found = new Set<Choice>();
  const unknown: string[] = [];
  for (const item of items) {
    const choice = choices.find((known) => known === item.toLowerCase());
    if (choice === undefined) unknown.push(item);
    else found.add(choice);
  }
  if (items.length === 1 && unknown[0]?.toLowerCase() === "none") return [];
  const result = found.size > 0 ? [...found] : fallback;
  if (unknown.length > 0) {
    rejectValue(settings, name, {
      value: unknown.join(","),
      expected: `in the list of ${choices.join(", ")} (or none, alone)`,
      used: result.join(","),
    });
  }
  return result;
}

/**
 * `key=value,key2=value2` with percent-encoding, as in W3C Baggage without properties.
 * A list with a broken pair is refused whole (specification: resource/sdk.md), because half of a
 * list is harder to notice than none. The warning never shows the value: headers hold secrets.
 */
export function readPairs(
  settings: Settings,
  name: string,
): Readonly<Record<string, string>> | undefined {
  const value = readString(settings, name);
  if (value === undefined) return undefined;
  const pairs = splitList(value).map(parsePair);
  if (pairs.every((pair) => pair !== undefined)) return Object.fromEntries(pairs);
  settings.warn(
    `${settings.labelOf(name)} is not a list of key=value pairs, separated by commas and ` +
      "percent-encoded: all of it is ignored.",
  );
  return undefined;
}

export interface Rejection {
  readonly value: string;
  readonly expected: string;
  readonly used: string;
}

/** The one form of a warning about a value: who, what, what was expected, what is used instead. */
export function rejectValue(settings: Settings, name: string, rejection: Rejection): void {
  const { value, expected, used } = rejection;
  settings.warn(
    `${settings.labelOf(name)}="${redact(value)}" is not ${expected}; using ${used} instead.`,
  );
}

/** Without what a URL may hide (user, password, query), on one line and not endless. */
function redact(value: string): string {
  const safe = value
    .replace(/[^/\s]*@/g, "***@")
    .replace(/\?.*$/s, "?***")
    .replace(/[^\x20-\x7e]/g, "?");
  return safe.length > SHOWN_CHARACTERS ? `${safe.slice(0, SHOWN_CHARACTERS)}…` : safe;
}

function splitList(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function parsePair(pair: string): [string, string] | undefined {
  const equals = pair.indexOf("=");
  if (equals <= 0) return undefined;
  try {
    const key = decodeURIComponent(pair.slice(0, equals).trim());
    return [key, decodeURIComponent(pair.slice(equals + 1).trim())];
  } catch {
    return undefined; // Not percent-encoding; the caller reports it.
  }
}
