import { ipv4FromText } from '../../src/model/parsing/ipv4-address.ts';
import { ipv6Groups, readIpv6 } from '../../src/model/parsing/ipv6-address.ts';

/** What a record may hold; numbers are unsigned. */
export type MmdbValue = string | number | readonly MmdbValue[] | { readonly [key: string]: MmdbValue };

/** How a file is written; left out: 24-bit records in a tree of IPv6 addresses. */
export interface MmdbForm {
  readonly ipVersion?: 4 | 6;
  readonly recordSize?: 24 | 28 | 32;
  readonly type?: string;
}

interface Leaf {
  readonly offset: number;
}
interface Node {
  readonly children: [Child, Child];
}
type Child = Node | Leaf | null;

const MAP = 7;
const UINT16 = 5;
const UINT32 = 6;
const UINT64 = 9;
/** Members of the metadata that are no `uint32`. */
const TYPES: Readonly<Record<string, number>> = {
  binary_format_major_version: UINT16,
  binary_format_minor_version: UINT16,
  ip_version: UINT16,
  record_size: UINT16,
  build_epoch: UINT64,
};
const BUILT_AT_S = 1_795_000_000;
const SEPARATOR = Buffer.alloc(16);

/** A MaxMind DB (format 2.0, https://maxmind.github.io/MaxMind-DB/) of networks in CIDR form, with the aliases of IPv4 that MaxMind writes. */
export function mmdbFile(networks: Readonly<Record<string, MmdbValue>>, form: MmdbForm = {}): Buffer {
  const { ipVersion = 6, recordSize = 24, type = 'GeoLite2-ASN' } = form;
  const root: Node = { children: [null, null] };
  const data = section();
  const placed = Object.entries(networks).map(([network, record]) => ({ bits: bitsOf(network, ipVersion), record }));
  for (const { bits, record } of placed.toSorted((a, b) => a.bits.length - b.bits.length)) place(root, bits, { offset: data.add(record) });
  if (ipVersion === 6) for (const alias of ['::ffff:0:0/96', '2002::/16']) place(root, bitsOf(alias, 6), childAt(root, '0'.repeat(96)));
  const nodes = nodesBelow(root);
  const metadata = section();
  metadata.add({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: BUILT_AT_S,
    database_type: type,
    description: { en: 'made by a test' },
    ip_version: ipVersion,
    languages: ['en'],
    node_count: nodes.size,
    record_size: recordSize,
  });
  const marker = Buffer.from('\xAB\xCD\xEFMaxMind.com', 'latin1');
  return Buffer.concat([treeOf(nodes, recordSize), SEPARATOR, data.bytes(), marker, metadata.bytes()]);
}

/** The bits of a network; IPv4 addresses are the last 32 bits of a tree of IPv6 addresses. */
function bitsOf(network: string, ipVersion: 4 | 6): string {
  const [address = '', length = ''] = network.split('/');
  if (address.includes(':')) {
    readIpv6(address, 0, address.length);
    return [...ipv6Groups]
      .map((group) => group.toString(2).padStart(16, '0'))
      .join('')
      .slice(0, Number(length));
  }
  const bits = ipv4FromText(address, 0, address.length).toString(2).padStart(32, '0').slice(0, Number(length));
  return ipVersion === 6 ? '0'.repeat(96) + bits : bits;
}

/** Larger networks come first, so that a smaller one splits them. */
function place(root: Node, bits: string, child: Child): void {
  let node = root;
  for (const bit of bits.slice(0, -1)) {
    const side = bit === '1' ? 1 : 0;
    const next = node.children[side];
    const inner: Node = isNode(next) ? next : { children: [next, next] };
    node.children[side] = inner;
    node = inner;
  }
  node.children[bits.endsWith('1') ? 1 : 0] = child;
}

function childAt(root: Node, bits: string): Child {
  let child: Child = root;
  for (const bit of bits) if (isNode(child)) child = child.children[bit === '1' ? 1 : 0];
  return child;
}

function isNode(child: Child): child is Node {
  return child !== null && 'children' in child;
}

/** Every node with its number; one that is an alias of another has one number. */
function nodesBelow(root: Node): ReadonlyMap<Child, number> {
  const numbers = new Map<Child, number>([[root, 0]]);
  for (const node of numbers.keys())
    if (isNode(node)) for (const child of node.children) if (isNode(child) && !numbers.has(child)) numbers.set(child, numbers.size);
  return numbers;
}

function treeOf(nodes: ReadonlyMap<Child, number>, recordSize: number): Buffer {
  const valueOf = (child: Child) =>
    child === null ? nodes.size : isNode(child) ? (nodes.get(child) ?? 0) : nodes.size + SEPARATOR.length + child.offset;
  const tree = Buffer.alloc((nodes.size * recordSize) / 4);
  for (const [node, at] of nodes) {
    const [left, right] = (node as Node).children.map(valueOf) as [number, number];
    const from = (at * recordSize) / 4;
    if (recordSize === 32) {
      tree.writeUInt32BE(left, from);
      tree.writeUInt32BE(right, from + 4);
      continue;
    }
    tree.writeUIntBE(left & 0xff_ffff, from, 3);
    if (recordSize === 28) tree[from + 3] = ((left >>> 24) << 4) | (right >>> 24);
    tree.writeUIntBE(right & 0xff_ffff, from + recordSize / 8 + (recordSize === 28 ? 0.5 : 0), 3);
  }
  return tree;
}

/** Values behind each other; a text that was written before is a pointer to it, as in real files. */
function section() {
  const chunks: Buffer[] = [];
  const texts = new Map<string, number>();
  let size = 0;
  const push = (...bytes: readonly number[]) => {
    chunks.push(Buffer.from(bytes));
    size += bytes.length;
  };
  function write(value: MmdbValue, type = UINT32): void {
    if (typeof value === 'string') return writeText(value);
    if (typeof value === 'number') {
      const bytes = value === 0 ? [] : bytesOf(value);
      return push(...control(type, bytes.length), ...bytes);
    }
    if (Array.isArray(value)) {
      push(...control(11, value.length));
      for (const item of value as readonly MmdbValue[]) write(item);
      return;
    }
    const members = Object.entries(value);
    push(...control(MAP, members.length));
    for (const [key, member] of members) {
      writeText(key);
      write(member, TYPES[key]);
    }
  }
  function writeText(text: string): void {
    const known = texts.get(text);
    if (known !== undefined) return push(...pointer(known));
    texts.set(text, size);
    const bytes = Buffer.from(text);
    push(...control(2, bytes.length), ...bytes);
  }
  return {
    /** Where the value stands. */
    add(value: MmdbValue): number {
      const offset = size;
      write(value);
      return offset;
    },
    bytes: () => Buffer.concat(chunks),
  };
}

function bytesOf(value: number): number[] {
  return value < 256 ? [value] : [...bytesOf(Math.floor(value / 256)), value % 256];
}

/** Type and length: types above 7 have a byte of their own, lengths from 29 on another one. */
function control(type: number, length: number): number[] {
  const short = Math.min(length, 29);
  return [...(type > MAP ? [short, type - MAP] : [(type << 5) | short]), ...(length < 29 ? [] : [length - 29])];
}

function pointer(offset: number): number[] {
  const [size, value] = offset < 2048 ? [0, offset] : offset < 526_336 ? [1, offset - 2048] : [2, offset - 526_336];
  const bytes = bytesOf(value);
  const padded = [...Array.from({ length: size + 2 - bytes.length }, () => 0), ...bytes];
  return [(1 << 5) | (size << 3) | (padded[0] ?? 0), ...padded.slice(1)];
}
