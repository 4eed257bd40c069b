import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const NO_SUCH_NAME = 3;
/** A pointer to the name of the question. */
const SAME_NAME = [0xc0, HEADER_BYTES];

/** A DNS server on loopback that speaks UDP. Answers live for no time at all. */
export interface DnsServer {
  readonly address: string;
  /** How often each name was asked for its IPv4 addresses. */
  readonly asked: Map<string, number>;
  close(): Promise<void>;
}

/** Starts it. `addressesOf` is given a name and how often it was asked for before; `null`: there is no such name. */
export async function startDnsServer(addressesOf: (name: string, before: number) => readonly string[] | null): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const asked = new Map<string, number>();
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionOf(query);
    const before = asked.get(name) ?? 0;
    const found = addressesOf(name, before);
    if (type === TYPE_A) asked.set(name, before + 1);
    const records = (found ?? []).filter((one) => isIPv4(one) === (type === TYPE_A)).map((one) => recordOf(type, one));
    const head = Buffer.from(query.subarray(0, HEADER_BYTES));
    head.writeUInt16BE(0x8180 | (found === null ? NO_SUCH_NAME : 0), 2);
    head.writeUInt16BE(records.length, 6);
    head.fill(0, 8);
    socket.send(Buffer.concat([head, query.subarray(HEADER_BYTES, end), ...records]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    async close() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size));
    at += size + 1;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Only what the tests answer with: IPv4, and IPv6 that ends in one group (`::1`). */
function recordOf(type: number, address: string): Buffer {
  const bytes = type === TYPE_A ? address.split('.').map(Number) : ipv6Bytes(address);
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(bytes.length, 8);
  return Buffer.concat([Buffer.from(SAME_NAME), head, Buffer.from(bytes)]);
}

function ipv6Bytes(address: string): number[] {
  const [left = '', right = ''] = address.split('::').map((part) => part);
  const groups = (text: string) => text.split(':').flatMap((part) => (part === '' ? [] : [Number.parseInt(part, 16)]));
  const [head, tail] = [groups(left), groups(right)];
  const all = [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return all.flatMap((group) => [group >> 8, group & 255]);
}
