/** The value of a parameter of a URL's query, as it is written there; `null` when it has none. Names in lower case, found in any case. */
export function parameterOf(url: string, name: string): string | null {
  const from = url.indexOf('?');
  if (from < 0) return null;
  for (const pair of url.slice(from + 1).split(/&(?:amp;)?|#/)) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).toLowerCase() === name) return pair.slice(equals + 1);
  }
  return null;
}

/** Text with its percent escapes undone; `null` when one of them is not whole. */
export function decodePercent(text: string): string | null {
  if (!text.includes('%')) return text;
  if (/%(?![\da-f]{2})/i.test(text)) return null;
  const utf8 = new TextEncoder().encode(text);
  let length = 0;
  for (let at = 0; at < utf8.length; at += 1) {
    const isEscape = utf8[at] === 37;
    utf8[length] = isEscape ? parseInt(String.fromCharCode(utf8[at + 1] ?? 0, utf8[at + 2] ?? 0), 16) : (utf8[at] ?? 0);
    length += 1;
    if (isEscape) at += 2;
  }
  return new TextDecoder().decode(utf8.subarray(0, length));
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
