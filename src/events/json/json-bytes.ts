/** Bytes of JSON's punctuation (RFC 8259). A closing bracket is its opening one plus two. */
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const SPACE = 0x20;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

export const BACKSLASH = 0x5c;
const U = 0x75;

/** 1 for bytes that stand for themselves inside a string: not the quote, the backslash, nor a control character. */
export const PLAIN = new Uint8Array(256).fill(1, 0x20);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/** 1 for the bytes that may follow a backslash, except `u`. */
const ESCAPABLE = new Uint8Array(256);
for (const letter of '"\\/bfnrt') ESCAPABLE[letter.charCodeAt(0)] = 1;

const HEX = new Uint8Array(256);
for (const digit of '0123456789abcdefABCDEF') HEX[digit.charCodeAt(0)] = 1;

/*
 * Every step takes a position and gives the next one; a fault is the one's complement of where it is (always negative).
 * The casts `as number` say what the bounds check beside them has shown: without them the compiler keeps a test for undefined.
 */

/** The next byte that is no white space. */
export function skipSpace(bytes: Uint8Array, from: number, end: number): number {
  let pos = from;
  while (pos < end) {
    const byte = bytes[pos];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return pos;
    pos++;
  }
  return pos;
}

/** Below this size a view of the words costs more than it saves. */
const LEAST_BYTES_FOR_WORDS = 2048;
const NO_WORDS = new Int32Array(0);

/** The text as numbers of four bytes, for `endOfPlain`; none where they would not lie on words, or the text is short. */
export function wordsIn(bytes: Buffer): Int32Array {
  if (bytes.length < LEAST_BYTES_FOR_WORDS || bytes.byteOffset % 4 !== 0) return NO_WORDS;
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}

/** Past the bytes from `from` on that stand for themselves inside a string, four at a step: for long strings. `words`: see `wordsIn`. */
export function endOfPlain(bytes: Uint8Array, words: Int32Array, from: number, end: number): number {
  let pos = from;
  for (; (pos & 3) !== 0; pos++) if (pos >= end || PLAIN[bytes[pos] as number] !== 1) return pos;
  const lastWord = Math.min(end >> 2, words.length);
  let word = pos >> 2;
  while (word < lastWord && isPlain(words[word] as number)) word++;
  if (word > pos >> 2) pos = word << 2;
  while (pos < end && PLAIN[bytes[pos] as number] === 1) pos++;
  return pos;
}

/** Whether all of four bytes are plain. */
function isPlain(word: number): boolean {
  const low = word & 0x7f7f7f7f;
  // The top bit of a byte is set where it is no control character, no quote, no backslash; and where it is none of ASCII.
  const plain = (low + 0x60606060) & ((low ^ 0x22222222) + 0x7f7f7f7f) & ((low ^ 0x5c5c5c5c) + 0x7f7f7f7f);
  return ((plain | word) & -0x7f7f7f80) === -0x7f7f7f80;
}

/** The closing quote of the string whose first byte inside is at `from`. */
export function endOfString(bytes: Uint8Array, from: number, end: number): number {
  let pos = from;
  for (;;) {
    while (pos < end && PLAIN[bytes[pos] as number] === 1) pos++;
    if (pos >= end) return ~end;
    if (bytes[pos] === QUOTE) return pos;
    if (bytes[pos] !== BACKSLASH) return ~pos;
    const after = endOfEscape(bytes, pos, end);
    if (after < 0) return after;
    pos = after;
  }
}

/** Past the escape whose backslash is at `from`. */
export function endOfEscape(bytes: Uint8Array, from: number, end: number): number {
  if (from + 1 >= end) return ~end;
  const letter = bytes[from + 1] as number;
  if (ESCAPABLE[letter] === 1) return from + 2;
  if (letter !== U) return ~from;
  for (let pos = from + 2; pos < from + 6; pos++) {
    if (pos >= end) return ~end;
    if (HEX[bytes[pos] as number] !== 1) return ~from;
  }
  return from + 6;
}

/** Past the number, `true`, `false` or `null` that starts at `from`. */
export function endOfScalar(bytes: Uint8Array, from: number, end: number): number {
  if (from >= end) return ~end;
  switch (bytes[from]) {
    case 0x74:
      return endOfWord(bytes, from, end, TRUE);
    case 0x66:
      return endOfWord(bytes, from, end, FALSE);
    case 0x6e:
      return endOfWord(bytes, from, end, NULL);
    default:
      return endOfNumber(bytes, from, end);
  }
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

function endOfWord(bytes: Uint8Array, from: number, end: number, word: Uint8Array): number {
  for (let n = 0; n < word.length; n++) {
    if (from + n >= end) return ~end;
    if (bytes[from + n] !== word[n]) return ~from;
  }
  return from + word.length;
}

function endOfNumber(bytes: Uint8Array, from: number, end: number): number {
  let pos = bytes[from] === 0x2d ? from + 1 : from;
  const whole = pos;
  pos = endOfDigits(bytes, pos, end);
  if (pos === whole) return pos >= end ? ~end : ~from;
  if (bytes[whole] === 0x30 && pos > whole + 1) return ~from;
  if (pos < end && bytes[pos] === 0x2e) {
    const fraction = pos + 1;
    pos = endOfDigits(bytes, fraction, end);
    if (pos === fraction) return pos >= end ? ~end : ~from;
  }
  if (pos < end && (bytes[pos] === 0x65 || bytes[pos] === 0x45)) {
    let exponent = pos + 1;
    if (bytes[exponent] === 0x2b || bytes[exponent] === 0x2d) exponent++;
    pos = endOfDigits(bytes, exponent, end);
    if (pos === exponent) return pos >= end ? ~end : ~from;
  }
  return pos;
}

function endOfDigits(bytes: Uint8Array, from: number, end: number): number {
  let pos = from;
  while (pos < end) {
    const byte = bytes[pos] as number;
    if (byte < 0x30 || byte > 0x39) return pos;
    pos++;
  }
  return pos;
}

/** The quote that ends the text whose first byte is at `from`; -1: there is none. What the text holds is not checked. */
export function closingQuote(bytes: Uint8Array, from: number): number {
  for (let pos = from; pos < bytes.length; pos++) {
    const byte = bytes[pos];
    if (byte === BACKSLASH) pos++;
    else if (byte === QUOTE) return pos;
  }
  return -1;
}
