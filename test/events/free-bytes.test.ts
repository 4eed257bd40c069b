import { expect, it } from 'vitest';
import { freeBytes } from '../../src/events/free-bytes.ts';

it('frees what a buffer has to itself, and nothing that others look at', () => {
  const own = Buffer.allocUnsafeSlow(64 * 1024);
  freeBytes(own);
  expect([own.length, own.buffer.byteLength]).toEqual([0, 0]);
  const room = Buffer.alloc(100, 'x');
  const part = room.subarray(10, 20);
  freeBytes(part);
  expect(part.toString()).toBe('x'.repeat(10));
  const shared = Buffer.from(new SharedArrayBuffer(4));
  freeBytes(shared);
  expect(shared.length).toBe(4);
});
