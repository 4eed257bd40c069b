/**
 * Keys whose 32 or more hex digits are no hash of a file: ids, and fingerprints of something else (a TLS or SSH client, what a program
 * imports, the number of a certificate).
 */
const OTHER_KEY =
  /(?:(?:trace|span|request|req|session|sess|correlation|transaction|uuid|guid|nonce|token|api_?key|secret|csrf|cookie|device|tenant|client|instance|message|etag|btih|phpsessid|jsessionid)[ _.-]?(?:id|key|token)?|(?:imp_?hash|pe_?hash|authentihash|rich_?(?:pe_?)?(?:header_?)?hash|(?:imp|tel|sym|gimp)hash|vhash|hassh(?:_?server)?|ja3s?|serial(?:[ _.-]?n(?:o|r|um|umber))?)[ _.-]?(?:hash|md5|digest|value|id)?)$/i;

/** An object that is a fingerprint as a whole, open where the digits stand: `"ja3":{"string":"…","hash":"`. */
const FINGERPRINT_OBJECT =
  /["'](?:ja3s?|hassh(?:_?server)?|imphash|serial(?:_?number)?|(?:tls_)?certificate)\\?["']\s{0,4}[:=]\s{0,4}\{[^{}]{0,600}$/i;
/** What keys end in, in lower case. */
const ENDS_KEY = new Uint8Array(128);
for (const letter of 'entqsdyfghr3lom5') ENDS_KEY[letter.charCodeAt(0)] = 1;
/** Keys inside of such an object. */
const INNER_KEY = /["'](?:hash|md5|sha1|sha256|digest|value|fingerprint|serial(?:_?number)?)$/i;

/** How far back a key is looked for, and an object that is open, in characters. */
const KEY_REACH = 28;
const OBJECT_REACH = 700;

/**
 * Whether hex digits of the length of a hash are something else: all digits, one character repeated, the value of an id, a fingerprint of
 * what is no file.
 */
export function isHexTrap(text: string, start: number, end: number): boolean {
  if (isAllDigitsOrF(text, start, end)) return true;
  let at = start;
  while (at > 0 && start - at < 8 && isSign(text.charCodeAt(at - 1))) at -= 1;
  if (at === start || !mayEndKey(text.charCodeAt(at - 1))) return false;
  const key = text.slice(Math.max(0, at - KEY_REACH), at);
  if (OTHER_KEY.test(key)) return true;
  return isQuote(text.charCodeAt(at)) && INNER_KEY.test(key) && FINGERPRINT_OBJECT.test(text.slice(Math.max(0, at - OBJECT_REACH), at));
}

/** Decimal digits only, or nothing but the letter F. */
function isAllDigitsOrF(text: string, start: number, end: number): boolean {
  let letters = 0;
  let others = 0;
  for (let at = start; at < end && (letters === 0 || others === 0); at += 1) {
    const code = text.charCodeAt(at);
    if (code > 57) letters += 1;
    if ((code | 32) !== 102) others += 1;
  }
  return letters === 0 || others === 0;
}

/** Whether one of the keys ends in this character: `6` of `sha256` does not. */
function mayEndKey(code: number): boolean {
  return code < 128 && ENDS_KEY[code | 32] === 1;
}

/** A quote, or the backslash before it in JSON inside of JSON. */
function isQuote(code: number): boolean {
  return code === 34 || code === 39 || code === 92;
}

/** Blanks, quotes, colon, equals sign, opening bracket, number sign, full stop, backslash. */
function isSign(code: number): boolean {
  switch (code) {
    case 32:
    case 9:
    case 34:
    case 39:
    case 58:
    case 61:
    case 40:
    case 35:
    case 46:
    case 92:
      return true;
    default:
      return false;
  }
}
