/** Copied out of the source of a mail, the equals sign before an address is still `=3D`. */
const SOURCE_EQUALS = /^3D(?=[a-z]{3,5}(?::|[%-]3A))/i;

/** The value of a parameter of a URL's query, as it is written there; `null` when it has none. Names in lower case, found in any case. */
export function parameterOf(url: string, name: string): string | null {
  const from = url.indexOf('?');
  if (from < 0) return null;
  for (const pair of url.slice(from + 1).split(/&(?:amp;)?|#/)) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).toLowerCase() === name) return pair.slice(equals + 1).replace(SOURCE_EQUALS, '');
  }
  return null;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Text with its percent escapes undone; one that is not whole stays as it is, as in browsers. */
export function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  const utf8 = ENCODER.encode(text);
  let length = 0;
  for (let at = 0; at < utf8.length; at += 1) {
    const byte = utf8[at] === 37 ? escapedByte(utf8, at + 1) : -1;
    utf8[length] = byte < 0 ? (utf8[at] ?? 0) : byte;
    length += 1;
    if (byte >= 0) at += 2;
  }
  return DECODER.decode(utf8.subarray(0, length));
}

/** The byte that two hex digits at a place say; -1 when none stand there. */
function escapedByte(utf8: Uint8Array, at: number): number {
  const high = hexValue(utf8[at] ?? 0);
  const low = hexValue(utf8[at + 1] ?? 0);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** 0 to 15 for a hex digit, -1 for anything else. */
function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** The bytes of base64 in either alphabet, padded or not; `null` when it is none. */
export function bytesOfBase64(text: string): Uint8Array | null {
  const digits = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(digits) || digits.length % 4 === 1) return null;
  return Uint8Array.from(atob(digits), (byte) => byte.charCodeAt(0));
}

/**
 * An address as a whole URL: with the slash that some clients drop (`https:/evil.com`), with a scheme where it has none but a name in front
 * (`evil.com/a`). `null` when it is of another kind (`javascript:`, a path).
 */
export function wholeUrl(address: string): string | null {
  const trimmed = address.trim();
  const web = /^(https?|ftps?):\/*(?=[^/\s])(.*)$/is.exec(trimmed);
  if (web !== null) return `${(web[1] ?? '').toLowerCase()}://${web[2] ?? ''}`;
  return /^[\w-]+(?:\.[\w-]+)+(?::\d{1,5})?(?:[/?#]|$)/.test(trimmed) ? `http://${trimmed}` : null;
}
