import { ipv4FromText } from '../parsing/ipv4-address.ts';
import { ipv6Groups, readIpv6 } from '../parsing/ipv6-address.ts';
import { grown } from './grown.ts';

const NONE = -1;

/**
 * Networks of one IP version, flattened into ranges that do not overlap, each knowing the smallest network around it. A look-up is a
 * binary search in typed arrays: no objects, about 30 bytes a network for IPv4, 50 for IPv6.
 */
export interface NetworkTable {
  /** 32-bit words of an address: 1 or 4. */
  readonly width: 1 | 4;
  /** How many ranges there are. */
  readonly size: number;
  /** First addresses of the ranges, ascending, `width` words each. A range ends where the next one starts. */
  readonly starts: Uint32Array;
  /** The smallest network around each range, -1 for a gap. */
  readonly owners: Int32Array;
  /** By network: the next larger network around it, or -1. */
  readonly parents: Int32Array;
  /** By network: its prefix length. */
  readonly lengths: Uint8Array;
  /** By network: its entry number. */
  readonly entries: Int32Array;
}

/** Collects networks of one IP version. */
export interface NetworkTableBuilder {
  /** Takes the network last read by `readNetwork`. */
  add(entry: number): void;
  build(): NetworkTable;
}

/** The network last read by `readNetwork`: words of its first address and prefix length. Shared to save allocations: read it at once. */
const read = { width: 1 as 1 | 4, words: new Uint32Array(4), length: 0 };

/**
 * Reads `address/length` or an address alone. Gives the words of its address (1: IPv4, 4: IPv6), or 0 when it is neither, or when bits
 * behind the prefix are set: `10.0.0.1/8` may mean the network or the address.
 */
export function readNetwork(text: string): 0 | 1 | 4 {
  const slash = text.indexOf('/');
  const end = slash < 0 ? text.length : slash;
  read.width = text.includes(':') ? 4 : 1;
  if (!(read.width === 4 ? readIpv6Words(text, end) : readIpv4Word(text, end))) return 0;
  const bits = read.width * 32;
  const suffix = text.slice(end + 1);
  if (slash >= 0 && !/^\d{1,3}$/.test(suffix)) return 0;
  read.length = slash < 0 ? bits : Number(suffix);
  if (read.length > bits) return 0;
  for (let at = 0; at < read.width; at += 1) if (((read.words[at] ?? 0) & hostMask(read.length, at)) !== 0) return 0;
  return read.width;
}

/** Starts an empty table. Of two equal networks the later entry wins. */
export function networkTableBuilder(width: 1 | 4): NetworkTableBuilder {
  let words = new Uint32Array(1024 * width);
  let lengths = new Uint8Array(1024);
  let entries = new Int32Array(1024);
  let count = 0;
  return {
    add(entry) {
      if (count === lengths.length) {
        words = grown(words, new Uint32Array(words.length * 2));
        lengths = grown(lengths, new Uint8Array(lengths.length * 2));
        entries = grown(entries, new Int32Array(entries.length * 2));
      }
      for (let at = 0; at < width; at += 1) words[count * width + at] = read.words[at] ?? 0;
      lengths[count] = read.length;
      entries[count] = entry;
      count += 1;
    },
    build: () => flatten({ width, words, lengths: lengths.slice(0, count), entries: entries.slice(0, count) }),
  };
}

/** Entry of the longest prefix around an IPv4 address (0 to 2^32 - 1), or -1. */
export function findIpv4(table: NetworkTable, address: number): number {
  read.words[0] = address;
  return entryOf(table, ownerOfWords(table));
}

/** Entry of the longest prefix around an IPv6 address, or -1. */
export function findIpv6(table: NetworkTable, text: string): number {
  return table.size > 0 && readIpv6Words(text, text.length) ? entryOf(table, ownerOfWords(table)) : NONE;
}

/** Entry of the longest prefix that contains all of the network last read by `readNetwork`, or -1. */
export function findNetwork(table: NetworkTable): number {
  let owner = ownerOfWords(table);
  while (owner !== NONE && (table.lengths[owner] ?? 0) > read.length) owner = table.parents[owner] ?? NONE;
  return entryOf(table, owner);
}

function entryOf(table: NetworkTable, owner: number): number {
  return owner === NONE ? NONE : (table.entries[owner] ?? NONE);
}

/** The network that owns the range around the address in `read.words`. */
function ownerOfWords({ width, size, starts, owners }: NetworkTable): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(starts, middle * width, read.words, 0, width) <= 0) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? NONE : (owners[low - 1] ?? NONE);
}

/** Walks the networks from low to high addresses, larger ones first, with those around the present place on a stack (`parents`). */
function flatten({
  width,
  words,
  lengths,
  entries,
}: Pick<NetworkTable, 'width' | 'lengths' | 'entries'> & { words: Uint32Array }): NetworkTable {
  const order = Uint32Array.from(lengths.keys()).sort(
    (a, b) => compare(words, a * width, words, b * width, width) || (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b,
  );
  const starts = new Uint32Array((order.length * 2 + 1) * width);
  const owners = new Int32Array(order.length * 2 + 1);
  const parents = new Int32Array(order.length).fill(NONE);
  const after = new Uint32Array(width);
  let size = 0;
  let innermost = NONE;
  function startRange(from: Uint32Array, offset: number, owner: number): void {
    if (size > 0 && compare(starts, (size - 1) * width, from, offset, width) === 0) size -= 1;
    for (let at = 0; at < width; at += 1) starts[size * width + at] = from[offset + at] ?? 0;
    owners[size] = owner;
    size += 1;
  }
  function closeUpTo(offset: number): void {
    while (innermost !== NONE) {
      const reachesEnd = !putAfter(after, words, innermost * width, lengths[innermost] ?? 0);
      if (reachesEnd || (offset >= 0 && compare(after, 0, words, offset, width) > 0)) return;
      innermost = parents[innermost] ?? NONE;
      startRange(after, 0, innermost);
    }
  }
  for (const network of order) {
    closeUpTo(network * width);
    parents[network] = innermost;
    startRange(words, network * width, network);
    innermost = network;
  }
  closeUpTo(NONE);
  return { width, size, starts: starts.slice(0, size * width), owners: owners.slice(0, size), parents, lengths, entries };
}

function readIpv4Word(text: string, end: number): boolean {
  const address = ipv4FromText(text, 0, end);
  if (address >= 0) read.words[0] = address;
  return address >= 0;
}

function readIpv6Words(text: string, end: number): boolean {
  if (readIpv6(text, 0, end) === 'none') return false;
  for (let at = 0; at < 4; at += 1) read.words[at] = (ipv6Groups[at * 2] ?? 0) * 0x10000 + (ipv6Groups[at * 2 + 1] ?? 0);
  return true;
}

/** The bits of word `at` that lie behind a prefix of `length` bits. */
function hostMask(length: number, at: number): number {
  const prefix = Math.min(32, Math.max(0, length - at * 32));
  return prefix === 32 ? 0 : 0xffffffff >>> prefix;
}

/** Writes the first address behind a network into `after`; false when the network reaches the end of the address space. */
function putAfter(after: Uint32Array, words: Uint32Array, offset: number, length: number): boolean {
  let carry = 1;
  for (let at = after.length - 1; at >= 0; at -= 1) {
    const sum = (((words[offset + at] ?? 0) | hostMask(length, at)) >>> 0) + carry;
    carry = sum > 0xffffffff ? 1 : 0;
    after[at] = sum;
  }
  return carry === 0;
}

// oxlint-disable-next-line max-params -- two places in two arrays and how much: an object per comparison would cost more than the comparison.
function compare(a: Uint32Array, aOffset: number, b: Uint32Array, bOffset: number, width: number): number {
  for (let at = 0; at < width; at += 1) {
    const difference = (a[aOffset + at] ?? 0) - (b[bOffset + at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
