import type { ListEntry } from './list-entry.ts';
import { verdictOf } from '../reading/verdict-facts.ts';

/**
 * Addresses the whole world uses, as their operators publish them: an alert on one of them is seldom about the address itself.
 * An attribute, never a verdict: abuse goes through shared services too.
 */
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  // developers.google.com/speed/public-dns, developers.cloudflare.com/1.1.1.1, quad9.net, opendns.com, adguard-dns.io
  'public-dns': [
    '8.8.8.8',
    '8.8.4.4',
    '2001:4860:4860::8888',
    '2001:4860:4860::8844',
    '1.1.1.1',
    '1.0.0.1',
    '1.1.1.2',
    '1.0.0.2',
    '1.1.1.3',
    '1.0.0.3',
    '2606:4700:4700::1111',
    '2606:4700:4700::1001',
    '9.9.9.9',
    '149.112.112.112',
    '9.9.9.10',
    '9.9.9.11',
    '2620:fe::fe',
    '2620:fe::9',
    '208.67.222.222',
    '208.67.220.220',
    '2620:119:35::35',
    '2620:119:53::53',
    '94.140.14.14',
    '94.140.15.15',
  ],
  // www.iana.org/domains/root/servers
  'root-server': [
    '198.41.0.4',
    '170.247.170.2',
    '192.33.4.12',
    '199.7.91.13',
    '192.203.230.10',
    '192.5.5.241',
    '192.112.36.4',
    '198.97.190.53',
    '192.36.148.17',
    '192.58.128.30',
    '193.0.14.129',
    '199.7.83.42',
    '202.12.27.33',
  ],
  // Hashes of the empty file: every scanner has seen them, they say nothing.
  'empty-file': [
    'd41d8cd98f00b204e9800998ecf8427e',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
  ],
};

/** The built-in infrastructure classes as list entries. */
export function infrastructureEntries(): ListEntry[] {
  return Object.entries(CLASSES).flatMap(([attribute, values]) => {
    const verdict = verdictOf('local', { verdict: 'unknown', attributes: [attribute] });
    return values.map((value) => ({ value, verdict, note: null }));
  });
}
