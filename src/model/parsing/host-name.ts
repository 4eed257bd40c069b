// src/model/parsing/: how each kind of value is read and made canonical; `parse-indicator.ts` above decides which kind it is.
import { domainFault, domainToAscii, isFileName } from './domain-name.ts';
import type { ParsedObservable } from '../indicator.ts';
import { invalid } from './invalid-observable.ts';
import { ipv4Fault, ipv4FromText, ipv4ToText } from './ipv4-address.ts';
import { ipv6Groups, ipv6GroupsToText, readIpv6 } from './ipv6-address.ts';
import { isPlaceholder } from './placeholder.ts';
import { internalName, specialPurposeIpv4, specialPurposeIpv6 } from './special-purpose.ts';

/** Reads what can stand in the host part of a URL without brackets: an IPv4 address or a name, in plain (not defanged) spelling. */
export function parseHost(text: string): ParsedObservable {
  const first = text.charCodeAt(0);
  if (first >= 48 && first <= 57) {
    const address = ipv4FromText(text, 0, text.length);
    if (address >= 0) return ipv4Observable(text, address);
  }
  return parseName(text);
}

/** The answer for an IPv4 address that was read already; `text` is its canonical spelling. */
export function ipv4Observable(text: string, address: number): ParsedObservable {
  const reason = specialPurposeIpv4(address);
  const indicator = { type: 'ipv4-addr', value: text } as const;
  return reason === null ? { kind: 'public', indicator } : { kind: 'private', indicator, reason };
}

/** The name or number of an interface behind the percent sign (RFC 4007 §11): no second one, no prefix. */
const ZONE = /^[^%/]+$/;

/**
 * Reads an IPv6 address without brackets. A zone (`%eth0`) is dropped. IPv4-mapped (::ffff:0:0/96) and translated (64:ff9b::/96,
 * RFC 6052) addresses are that IPv4 address: it is the host that is talked to. `null` when the text is no IPv6 address.
 */
export function parseIpv6(text: string): ParsedObservable | null {
  const zone = text.indexOf('%');
  const end = zone < 0 ? text.length : zone;
  if (zone >= 0 && !ZONE.test(text.slice(zone + 1))) return null;
  const spelling = readIpv6(text, 0, end);
  if (spelling === 'none') return null;
  const inner = embeddedIpv4();
  if (inner >= 0) return ipv4Observable(ipv4ToText(inner), inner);
  const value = spelling === 'canonical' ? text.slice(0, end) : ipv6GroupsToText();
  const reason = specialPurposeIpv6();
  const indicator = { type: 'ipv6-addr', value } as const;
  return reason === null ? { kind: 'public', indicator } : { kind: 'private', indicator, reason };
}

function embeddedIpv4(): number {
  const [first, second] = ipv6Groups;
  if (first !== 0 && first !== 0x64) return -1;
  for (let at = 2; at < 5; at += 1) if (ipv6Groups[at] !== 0) return -1;
  const sixth = ipv6Groups[5];
  const isMapped = first === 0 && second === 0 && sixth === 0xffff;
  const isTranslated = first === 0x64 && second === 0xff9b && sixth === 0;
  return isMapped || isTranslated ? (ipv6Groups[6] ?? 0) * 0x10000 + (ipv6Groups[7] ?? 0) : -1;
}

function parseName(text: string): ParsedObservable {
  const lower = text.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  const address = name === lower ? -1 : ipv4FromText(name, 0, name.length);
  if (address >= 0) return ipv4Observable(name, address);
  if (name === '') return invalid('no name: write an address, a domain name, a URL, a hash or an e-mail address');
  const fault = domainFault(name);
  if (fault !== null) return faultyName(name, fault);
  const internal = internalName(name);
  if (internal === null) {
    if (isFileName(name)) return invalid('a file name, not a domain name: look up the file by its hash');
    return { kind: 'public', indicator: { type: 'domain-name', value: name } };
  }
  const noName = name.includes('.') ? null : labelFault(name);
  if (noName !== null) return invalid(noName);
  return { kind: 'private', indicator: { type: 'domain-name', value: name }, reason: internal };
}

function faultyName(name: string, fault: string): ParsedObservable {
  if (/[^\0-\u007f]/.test(name)) {
    const ascii = domainToAscii(name);
    if (ascii === null || /[^\0-\u007f]/.test(ascii))
      return invalid('letters that no internationalised domain name may have (IDNA): check the spelling');
    return parseHost(ascii);
  }
  if (/^[\d.]+$/.test(name) || /^(?:0x[\da-f]*|\d+)(?:\.(?:0x[\da-f]*|\d+))*$/.test(name)) return invalid(ipv4Fault(name));
  return invalid(fault);
}

/** Why one label alone is not even the name of a host; `null` when it may be. */
function labelFault(label: string): string | null {
  if (/^(?:\d+|0x[\da-f]*)$/.test(label)) return ipv4Fault(label);
  if (isPlaceholder(label) || label === 'true' || label === 'false')
    return 'a placeholder, not a value: leave the field empty when there is nothing';
  if (/^cve-\d{4}-\d{4,}$/.test(label)) return 'a vulnerability id, not the name of a host: write it alone';
  if (/^cve-\d{4}-\d{1,3}$/.test(label)) return 'no CVE id: behind the year stand four digits or more, for example CVE-2024-0042';
  if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(label))
    return 'a UUID, not an indicator: look up the address, name, URL or hash that was seen';
  if (label.length >= 24 && /^[\da-f]+$/.test(label)) return hashLengthFault(label.length);
  return null;
}

/** Why so many hex digits are no hash that we know. */
export function hashLengthFault(length: number): string {
  const known = 'md5 has 32 digits, sha1 40, sha256 64, sha512 128';
  if (length === 56 || length === 96) return `a sha${length * 4} hash: sources know files by other hashes (${known})`;
  return `${length} hex digits are not a known hash (${known}): check that it is whole`;
}
