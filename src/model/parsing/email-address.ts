import { parseHost, parseIpv6 } from './host-name.ts';
import type { ParsedObservable } from '../indicator.ts';
import { invalid } from './invalid-observable.ts';

/** Longest local part and address, in characters (RFC 5321 §4.5.3.1). */
const MAX_LOCAL = 64;
const MAX_ADDRESS = 254;

/**
 * Reads an e-mail address, plain (not defanged), lower-cased whole: mailboxes that differ by case only are not seen in practice.
 * Quoted local parts (`"a b"@host`) are refused. The domain may be an address in brackets.
 */
export function parseEmail(text: string): ParsedObservable {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at).normalize('NFC').toLowerCase();
  const fault = localFault(local);
  if (fault !== null) return invalid(fault);
  const domain = text.slice(at + 1);
  const host = domain.startsWith('[') && domain.endsWith(']') ? parseLiteral(domain.slice(1, -1)) : parseHost(domain);
  if (host.kind === 'invalid') return invalid(`domain of the e-mail address: ${host.reason}`);
  const name = host.indicator.type === 'domain-name' ? host.indicator.value : `[${host.indicator.value}]`;
  const value = `${local}@${name}`;
  if (value.length > MAX_ADDRESS) return invalid(`e-mail address of ${value.length} characters: at most ${MAX_ADDRESS}`);
  const indicator = { type: 'email-addr', value } as const;
  return host.kind === 'public'
    ? { kind: 'public', indicator }
    : { kind: 'private', indicator, reason: `domain of the e-mail address: ${host.reason}` };
}

function parseLiteral(text: string): ParsedObservable {
  return parseIpv6(text.replace(/^ipv6:/i, '')) ?? parseHost(text);
}

function localFault(local: string): string | null {
  if (local === '') return 'e-mail address without a part before the "@"';
  if (local.length > MAX_LOCAL) return `part before the "@" of ${local.length} characters: at most ${MAX_LOCAL}`;
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) return 'e-mail address with a dot at the edge or two in a row';
  // RFC 5322 atext and dots, and letters outside ASCII (RFC 6531).
  if (!/^[a-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\uffff-]+$/.test(local) || /[\s\p{C}]/u.test(local)) {
    return 'not one e-mail address: write name@domain alone, or use extract to find those in a text';
  }
  return null;
}
