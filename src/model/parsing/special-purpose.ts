import { ipv6Groups, readIpv6 } from './ipv6-address.ts';
import { ipv4FromText } from './ipv4-address.ts';

/**
 * IPv4 blocks that say nothing about anybody outside. IANA IPv4 Special-Purpose Address Registry
 * (https://www.iana.org/assignments/iana-ipv4-special-registry, RFC 6890 and later), and multicast (RFC 5771).
 * All of them stay in the house, the globally reachable ones (anycast services, AS112) too: no report on them is about an attacker.
 */
const IPV4_BLOCKS: readonly (readonly [cidr: string, rule: string])[] = [
  ['0.0.0.0/8', 'this network (RFC 791)'],
  ['10.0.0.0/8', 'private use (RFC 1918)'],
  ['100.64.0.0/10', 'carrier-grade NAT, shared address space (RFC 6598)'],
  ['127.0.0.0/8', 'loopback (RFC 1122)'],
  ['169.254.0.0/16', 'link local (RFC 3927)'],
  ['172.16.0.0/12', 'private use (RFC 1918)'],
  ['192.0.0.0/24', 'IETF protocol assignments (RFC 6890)'],
  ['192.0.2.0/24', 'documentation, TEST-NET-1 (RFC 5737)'],
  ['192.31.196.0/24', 'AS112-v4 (RFC 7535)'],
  ['192.52.193.0/24', 'AMT (RFC 7450)'],
  ['192.88.99.0/24', 'deprecated 6to4 relay anycast (RFC 7526)'],
  ['192.168.0.0/16', 'private use (RFC 1918)'],
  ['192.175.48.0/24', 'AS112 service (RFC 7534)'],
  ['198.18.0.0/15', 'benchmarking (RFC 2544)'],
  ['198.51.100.0/24', 'documentation, TEST-NET-2 (RFC 5737)'],
  ['203.0.113.0/24', 'documentation, TEST-NET-3 (RFC 5737)'],
  ['224.0.0.0/4', 'multicast (RFC 5771)'],
  ['255.255.255.255/32', 'limited broadcast (RFC 919)'],
  ['240.0.0.0/4', 'reserved (RFC 1112)'],
];

/**
 * IPv6 blocks inside global unicast that stay in the house. IANA IPv6 Special-Purpose Address Registry
 * (https://www.iana.org/assignments/iana-ipv6-special-registry). 6to4 and Teredo are tunnels: the address names a relay, and may carry
 * a private IPv4 address in its bits.
 */
const IPV6_BLOCKS: readonly (readonly [cidr: string, rule: string])[] = [
  ['::/128', 'unspecified address (RFC 4291)'],
  ['::1/128', 'loopback (RFC 4291)'],
  ['64:ff9b:1::/48', 'local-use IPv4/IPv6 translation (RFC 8215)'],
  ['100::/64', 'discard only (RFC 6666)'],
  ['100:0:0:1::/64', 'dummy prefix (RFC 9780)'],
  ['2001::/32', 'Teredo tunnel (RFC 4380)'],
  ['2001:db8::/32', 'documentation (RFC 3849)'],
  ['2001::/23', 'IETF protocol assignments (RFC 2928)'],
  ['2002::/16', 'deprecated 6to4 tunnel (RFC 7526)'],
  ['2620:4f:8000::/48', 'AS112 service (RFC 7534)'],
  ['3fff::/20', 'documentation (RFC 9637)'],
  ['5f00::/16', 'segment routing identifiers (RFC 9602)'],
  ['fc00::/7', 'unique local (RFC 4193)'],
  ['fe80::/10', 'link local (RFC 4291)'],
  ['fec0::/10', 'deprecated site local (RFC 3879)'],
  ['ff00::/8', 'multicast (RFC 4291)'],
];

/**
 * Last labels that never name a host on the internet. RFC 6761 (special-use names), 6762 (.local), 8375 and 3172 (.arpa: reverse names spell
 * an address, home.arpa is a home network), 9476 (.alt), ICANN resolution 2024.07.29.06 (.internal) and its name-collision reports of 2014
 * (.corp .home .mail), and RFC 6762 appendix G (.lan .intranet .private). Not here: `.onion` (RFC 7686) names a service anybody can
 * reach over Tor, and providers do list those.
 */
const INTERNAL_LABELS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    local: 'multicast DNS (RFC 6762)',
    internal: 'private use (ICANN 2024)',
    lan: 'internal name by custom (RFC 6762 appendix G)',
    corp: 'internal name (ICANN name collision)',
    home: 'internal name (ICANN name collision)',
    mail: 'internal name (ICANN name collision)',
    intranet: 'internal name by custom (RFC 6762 appendix G)',
    private: 'internal name by custom (RFC 6762 appendix G)',
    localdomain: 'internal name by custom',
    domain: 'internal name by custom',
    intra: 'internal name by custom',
    workgroup: 'internal name by custom',
    arpa: 'infrastructure or home network name (RFC 3172, RFC 8375)',
    test: 'testing (RFC 6761)',
    example: 'documentation (RFC 6761)',
    invalid: 'never exists (RFC 6761)',
    localhost: 'loopback (RFC 6761)',
    alt: 'outside the DNS (RFC 9476)',
  }),
);

interface Ipv4Block {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** By first octet: `null` when nothing there is special. */
const IPV4_BY_OCTET: readonly (readonly Ipv4Block[] | null)[] = indexIpv4Blocks();
const IPV6_RULES = IPV6_BLOCKS.map(([cidr, rule]) => readIpv6Block(cidr, rule));
const NOT_GLOBAL_IPV6 = 'not a global unicast address: outside 2000::/3 (IANA IPv6 address space)';

/** Why an IPv4 address (0 to 2^32 - 1) never leaves the house, or `null` when it is a public one. */
export function specialPurposeIpv4(address: number): string | null {
  const blocks = IPV4_BY_OCTET[address >>> 24];
  if (!blocks) return null;
  for (const block of blocks) if (address >= block.from && address <= block.to) return block.reason;
  return null;
}

/** Why the address in `ipv6Groups` (see `readIpv6`) never leaves the house, or `null` when it is a public one. */
export function specialPurposeIpv6(): string | null {
  const first = ipv6Groups[0] ?? 0;
  // What lies between holds most addresses in use, and no special block.
  if ((first > 0x2002 && first < 0x2620) || (first > 0x2620 && first < 0x3fff)) return null;
  for (const rule of IPV6_RULES) if (isInIpv6Block(rule.groups, rule.length)) return rule.reason;
  return first >> 13 === 1 ? null : NOT_GLOBAL_IPV6;
}

/** Why a canonical domain name never leaves the house, or `null`. `name` has no trailing dot. */
export function internalName(name: string): string | null {
  const dot = name.lastIndexOf('.');
  if (dot < 0) return 'single label: a host name of the own network';
  const rule = INTERNAL_LABELS.get(name.slice(dot + 1));
  return rule === undefined ? null : `.${name.slice(dot + 1)}: ${rule}`;
}

function indexIpv4Blocks(): (readonly Ipv4Block[] | null)[] {
  const byOctet: (Ipv4Block[] | null)[] = Array.from({ length: 256 }, () => null);
  for (const [cidr, rule] of IPV4_BLOCKS) {
    const slash = cidr.indexOf('/');
    const from = ipv4FromText(cidr, 0, slash);
    const to = from + 2 ** (32 - Number(cidr.slice(slash + 1))) - 1;
    for (let octet = from >>> 24; octet <= to >>> 24; octet += 1) {
      (byOctet[octet] ??= []).push({ from, to, reason: `${cidr}: ${rule}` });
    }
  }
  return byOctet;
}

function readIpv6Block(cidr: string, rule: string): { groups: Uint16Array; length: number; reason: string } {
  const slash = cidr.indexOf('/');
  readIpv6(cidr, 0, slash);
  return { groups: ipv6Groups.slice(), length: Number(cidr.slice(slash + 1)), reason: `${cidr}: ${rule}` };
}

function isInIpv6Block(groups: Uint16Array, length: number): boolean {
  const whole = length >> 4;
  for (let at = 0; at < whole; at += 1) if (groups[at] !== ipv6Groups[at]) return false;
  const rest = length & 15;
  return rest === 0 || ((groups[whole] ?? 0) ^ (ipv6Groups[whole] ?? 0)) >> (16 - rest) === 0;
}
