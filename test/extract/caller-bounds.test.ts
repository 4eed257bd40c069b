import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { extractFromFile } from '../../src/extract/extract.ts';

const ARCHIVE = zipSync({
  'a.txt': Buffer.from('9.9.9.9'),
  'b.txt': Buffer.from('8.8.8.8 '.repeat(1000)),
  'c.txt': Buffer.from('1.1.1.1'),
});

async function look(bounds: { maxBytes?: number; maxMs?: number; isStopped?: () => boolean }) {
  const unread: string[] = [];
  const found = await extractFromFile(ARCHIVE, {
    isUnique: true,
    onUnread: (part, reason) => unread.push(`${part}: ${reason}`),
    ...bounds,
  });
  return { values: found.filter(({ type }) => type === 'ipv4-addr').map(({ value }) => value), unread };
}

describe('bounds that the caller of a file sets', () => {
  it('none: all is read', async () => {
    expect(await look({})).toEqual({ values: ['9.9.9.9', '8.8.8.8', '1.1.1.1'], unread: [] });
  });
  it('bytes: what is beyond, unpacked, is named and not read', async () => {
    const { values, unread } = await look({ maxBytes: ARCHIVE.length + 100 });
    expect(values).toEqual(['9.9.9.9']);
    expect(unread[0]).toContain('b.txt: more files or bytes than are looked at');
  });
  it('time: what is not reached is named', async () => {
    expect(await look({ maxMs: -1 })).toEqual({ values: [], unread: ['file: looking took too long'] });
  });
  it('nobody waits any more: looking ends', async () => {
    let asked = 0;
    const { values } = await look({ isStopped: () => (asked += 1) > 2 });
    expect(values).toEqual(['9.9.9.9']);
  });
});
