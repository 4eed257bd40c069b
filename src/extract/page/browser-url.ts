import { decodePercent } from '../links/link-parts.ts';

/** What browsers leave as it is: nothing to resolve, drop or turn round. */
const PLAIN = /^https?:\/\/(?:[\w-]{1,63}\.){1,40}[a-z]{2}[a-z\d-]*(?::\d{1,5})?(?:[/?#][^\s\\]*)?$/i;
/** Longest address that is resolved, in characters. */
const MAX_URL = 16_384;

/**
 * The address of an attribute as browsers read it (WHATWG URL): without tabs and line breaks, backslashes as slashes, resolved against the
 * page's base. What leads nowhere on the network comes back as the text it is.
 */
export function browserUrl(value: string, base: string | null): string {
  const address = /[\s\0]/.test(value) ? withoutBreaks(value) : value;
  if (PLAIN.test(address) || address.length > MAX_URL) return address;
  if (/^mailto:/i.test(address)) return decodePercent(address).replace(/[?&<>,;]/g, ' ');
  if (/^(?:java|vb)script:/i.test(address)) return decodePercent(address);
  const isWeb = /^(?:https?|ftp):/i.test(address);
  if (!isWeb && (base === null || address === '' || /^(?:#|[a-z][\w+.-]*:)/i.test(address))) return address;
  return URL.canParse(address, base ?? undefined) ? new URL(address, base ?? undefined).href : address;
}

function withoutBreaks(value: string): string {
  // oxlint-disable-next-line no-control-regex -- WHATWG URL: control characters and blanks around an address are dropped.
  return value.replace(/^[\0- ]+|[\0- ]+$/g, '').replace(/[\t\n\r]/g, '');
}
