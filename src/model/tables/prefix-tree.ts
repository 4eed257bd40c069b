// src/model/tables/: tables that find a value among very many: names, networks, beginnings, parts of texts.
import type { Indicator } from '../indicator.ts';
import { ipv4FromText } from '../parsing/ipv4-address.ts';
import type { NameTable } from './name-table.ts';
import { findName, nameTableBuilder } from './name-table.ts';
import type { NetworkTable } from './network-table.ts';
import { findIpv4, findIpv6, findNetwork, networkTableBuilder, readNetwork } from './network-table.ts';
import { isAsNumber } from '../parsing/as-number.ts';
import { parseIndicator } from '../parse-indicator.ts';

/** One line of a list: what it matches, and what is known about that. */
export interface PrefixEntry<Value> {
  /**
   * A network (`10.0.0.0/8`, `2001:db8::/32`), an address, a domain with everything below it (`corp.com`, `.corp.com`, `*.corp.com`), one
   * name alone (`=www.corp.com`), a URL, hash or e-mail address.
   */
  readonly pattern: string;
  readonly value: Value;
}

/** A pattern that could not be read: its place in the list (from 0) and why, for people. */
export interface PrefixFault {
  readonly index: number;
  readonly reason: string;
}

/** An immutable list of networks and names, made for millions of entries: typed arrays, no object per entry. */
export interface PrefixTree<Value> {
  /** How many patterns it holds. */
  readonly size: number;
  /**
   * The value of the entry that fits an indicator best. The very value first; then, for a URL or an e-mail address, its host; the longest
   * network or suffix wins.
   */
  match(indicator: Indicator): Value | undefined;
  /** The value of the longest network that contains all of a network in CIDR form: `10.1.0.0/16` lies in `10.0.0.0/8`. */
  matchNetwork(network: string): Value | undefined;
}

/** What could be read of a list, and what not. */
export interface PrefixTreeBuild<Value> {
  readonly tree: PrefixTree<Value>;
  readonly faults: readonly PrefixFault[];
}

/** Why a pattern is none: for people. */
const AS_NUMBER_FAULT = 'the number of an autonomous system: list its networks in CIDR form';

interface Tables {
  readonly ipv4: NetworkTable;
  readonly ipv6: NetworkTable;
  readonly names: NameTable;
}

/** Builds the tree. Of two equal patterns the later one wins. A pattern that cannot be read is a fault and matches nothing. */
export function buildPrefixTree<Value>(entries: Iterable<PrefixEntry<Value>>): PrefixTreeBuild<Value> {
  const values: Value[] = [];
  const numbers = new Map<Value, number>();
  const ipv4 = networkTableBuilder(1);
  const ipv6 = networkTableBuilder(4);
  const names = nameTableBuilder();
  const faults: PrefixFault[] = [];
  let index = 0;
  function addNetwork(pattern: string, number: number): boolean {
    const width = readNetwork(pattern);
    if (width === 1) ipv4.add(number);
    else if (width === 4) ipv6.add(number);
    return width !== 0;
  }
  function addPattern(pattern: string, number: number): string | null {
    if (/^[\da-f]*[.:]/i.test(pattern) && addNetwork(pattern, number)) return null;
    const isExact = pattern.startsWith('=');
    const name = isExact ? pattern.slice(1) : pattern.replace(/^\*?\./, '');
    if (/\/\d{1,3}$/.test(name) && /^[\d.:a-f]+\//i.test(name))
      return 'a network with a length that is too long, or with bits set behind it';
    if (isAsNumber(name)) return AS_NUMBER_FAULT;
    const parsed = parseIndicator(name);
    if (parsed.kind === 'invalid') return parsed.reason;
    const { type, value } = parsed.indicator;
    if (type === 'ipv4-addr' || type === 'ipv6-addr') addNetwork(value, number);
    else names.add(value, type === 'domain-name' && !isExact ? 'suffix' : 'exact', number);
    return null;
  }
  for (const { pattern, value } of entries) {
    const number = numbers.get(value) ?? values.push(value) - 1;
    numbers.set(value, number);
    const reason = addPattern(pattern.trim(), number);
    if (reason !== null) faults.push({ index, reason });
    index += 1;
  }
  const tables = { ipv4: ipv4.build(), ipv6: ipv6.build(), names: names.build() };
  return { tree: treeOf(tables, values, index - faults.length), faults };
}

function treeOf<Value>(tables: Tables, values: readonly Value[], size: number): PrefixTree<Value> {
  return {
    size,
    match: (indicator) => values[findEntry(tables, indicator)],
    matchNetwork: (network) => values[findCovering(tables, network)],
  };
}

function findEntry(tables: Tables, { type, value }: Indicator): number {
  switch (type) {
    case 'ipv4-addr':
      return findIpv4(tables.ipv4, ipv4FromText(value, 0, value.length));
    case 'ipv6-addr':
      return findIpv6(tables.ipv6, value);
    case 'domain-name':
      return findName(tables.names, value, 'suffix');
    case 'url':
    case 'email-addr': {
      const exact = findName(tables.names, value, 'exact');
      return exact >= 0 ? exact : findHost(tables, hostOf(value));
    }
    default:
      return findName(tables.names, value, 'exact');
  }
}

/** The address that an indicator is, or that is the host of a URL or e-mail address; `null`: it has a name, or is a file. */
export function addressOf({ type, value }: Indicator): string | null {
  if (type === 'ipv4-addr' || type === 'ipv6-addr') return value;
  if (type !== 'url' && type !== 'email-addr') return null;
  const host = withoutBrackets(hostOf(value));
  return host.includes(':') || ipv4FromText(host, 0, host.length) >= 0 ? host : null;
}

function findHost(tables: Tables, host: string): number {
  const bare = withoutBrackets(host);
  if (bare.includes(':')) return findIpv6(tables.ipv6, bare);
  const address = ipv4FromText(bare, 0, bare.length);
  return address >= 0 ? findIpv4(tables.ipv4, address) : findName(tables.names, bare, 'suffix');
}

function findCovering(tables: Tables, network: string): number {
  const width = readNetwork(network);
  return width === 0 ? -1 : findNetwork(width === 1 ? tables.ipv4 : tables.ipv6);
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** The host of a canonical URL (no user information) or e-mail address, with its brackets. */
function hostOf(value: string): string {
  const scheme = value.indexOf('://');
  if (scheme < 0) return value.slice(value.lastIndexOf('@') + 1);
  return /^(?:\[[^\]]*\]|[^:/?#]*)/.exec(value.slice(scheme + 3))?.[0] ?? '';
}
