/** HPACK's Huffman code (RFC 7541 §5.2, appendix B), for reading: what this client writes is not compressed. */

/**
 * The length in bits of each symbol's code, as a digit of base 36; the last symbol ends a string.
 * The code is canonical (codes of one length are consecutive numbers in the order of their symbols), so
 * that the lengths are all there is to know.
 */
const CODE_LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6" +
  "f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

const LONGEST_CODE = 30;
/** A string's last byte is filled up with the first bits of the longest code, at most 7 (§5.2). */
const MAX_PADDING_BITS = 7;

interface CodesOfLength {
  /** The number that is the first code of this length. */
  first: number;
  readonly symbols: number[];
}

let codes: readonly CodesOfLength[] | undefined;

/** The text of a Huffman-coded string, one character per byte; undefined when it is not valid. */
export function decodeHuffman(bytes: Uint8Array): string | undefined {
  codes ??= codesByLength();
  let text = "";
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      if (length > LONGEST_CODE) return undefined;
      const { first, symbols } = codes[length] as CodesOfLength;
      const symbol = symbols[code - first];
      if (symbol === undefined) continue;
      if (symbol > 0xff) return undefined;
      text += String.fromCharCode(symbol);
      code = 0;
      length = 0;
    }
  }
  const isPadding = length <= MAX_PADDING_BITS && code === (1 << length) - 1;
  return isPadding ? text : undefined;
}

function codesByLength(): CodesOfLength[] {
  const byLength = Array.from({ length: LONGEST_CODE + 1 }, () => ({
    first: 0,
    symbols: [] as number[],
  }));
  for (let symbol = 0; symbol < CODE_LENGTHS.length; symbol++) {
    byLength[Number.parseInt(CODE_LENGTHS.charAt(symbol), 36)]?.symbols.push(symbol);
  }
  let next = 0;
  for (const codesOfLength of byLength) {
    codesOfLength.first = next;
    next = (next + codesOfLength.symbols.length) << 1;
  }
  return byLength;
}
