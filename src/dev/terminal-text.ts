/** Foreign text made harmless, and for the terminal measured in columns and cut to fit. */

const CONTROL = /\p{Cc}/gu;
/** Line separators, zero-width and bidirectional controls, unpaired surrogates. */
const INVISIBLE = /[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/gu;
/** Accents piled on one letter run over the lines above and below. */
const PILED_MARKS = /(\p{M}{2})\p{M}+/gu;
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const MARK = /\p{M}/u;
/** U+2400 shows U+0000, and so on up to U+001F. */
const CONTROL_PICTURES = 0x2400;
const LAST_PICTURED = 0x1f;
/** No terminal is wider; a hostile megabyte is not measured letter by letter. */
const MAX_LENGTH = 1000;
const REPLACEMENT = "�";
const ISOLATE_START = "\u2068";
const ISOLATE_END = "\u2069";
const ELLIPSIS = "…";

/**
 * Shows control characters as pictures, so that no name can move the cursor, recolour or reorder a line.
 * Right-to-left words stay readable; they are isolated by {@link isolate} once they are cut.
 */
export function neutralize(text: string): string {
  return text
    .replace(CONTROL, pictureOf)
    .replace(INVISIBLE, REPLACEMENT)
    .replace(PILED_MARKS, "$1");
}

/** The same for one line of a terminal, which shows no more than its beginning. */
export function neutralizeLine(text: string): string {
  return neutralize(text.slice(0, MAX_LENGTH));
}

function pictureOf(control: string): string {
  const code = control.charCodeAt(0);
  return code <= LAST_PICTURED ? String.fromCharCode(CONTROL_PICTURES + code) : REPLACEMENT;
}

/** Keeps right-to-left text from pulling its neighbours on the line to the other side. */
export function isolate(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? ISOLATE_START + text + ISOLATE_END : text;
}

/** Terminal columns a text takes. */
export function measure(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOf(character);
  return columns;
}

/** Cuts a text to at most `columns`, with an ellipsis in the last one. */
export function cut(text: string, columns: number): string {
  if (measure(text) <= columns) return text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    used += columnsOf(character);
    if (used > columns - 1) break;
    kept += character;
  }
  return columns > 0 ? kept + ELLIPSIS : "";
}

function columnsOf(character: string): number {
  if (MARK.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
