import { getDomain } from 'tldts';
import { CANONICAL_HOST, hasPublicSuffix } from '../../extract/public-suffix.ts';

/**
 * The part of a host name that somebody registered (`login.evil.co.uk` → `evil.co.uk`), by the ICANN section of the public suffix list;
 * `null` for a public suffix itself, a single label, or a name below no public suffix.
 */
export function registrableDomain(host: string): string | null {
  return hasPublicSuffix(host) ? getDomain(host, CANONICAL_HOST) : null;
}
