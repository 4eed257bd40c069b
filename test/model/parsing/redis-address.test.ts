import { describe, expect, it } from 'vitest';
import { isSafeRedisAddress, parseRedisAddress } from '../../../src/model/parsing/redis-address.ts';

describe('an address of Redis', () => {
  it('names one server with user, password and database', () => {
    expect(parseRedisAddress('rediss://us%3Aer:p%40ss@redis.example.net/3')).toEqual({
      kind: 'single',
      isTls: true,
      username: 'us:er',
      password: 'p@ss',
      nodes: [{ host: 'redis.example.net', port: 6379 }],
      database: 3,
      master: '',
    });
  });

  it('names sentinels and what they call the server', () => {
    expect(parseRedisAddress('redis+sentinel://one:7000,[2001:db8::1]:7001/main')?.nodes).toEqual([
      { host: 'one', port: 7000 },
      { host: '2001:db8::1', port: 7001 },
    ]);
    expect(parseRedisAddress('rediss+sentinel://:secret@one,two/main')).toMatchObject({
      kind: 'sentinel',
      password: 'secret',
      username: null,
      nodes: [{ port: 26_379 }, { port: 26_379 }],
      master: 'main',
    });
  });

  it('names nodes of a cluster', () => {
    expect(parseRedisAddress('rediss+cluster://pack:secret@one,two:7000')).toMatchObject({
      kind: 'cluster',
      isTls: true,
      username: 'pack',
      nodes: [
        { host: 'one', port: 6379 },
        { host: 'two', port: 7000 },
      ],
      database: 0,
    });
  });

  it.each([
    'http://host',
    'redis://',
    'redis://one,two',
    'redis://host:0',
    'redis://host:70000',
    'redis://host/x',
    'redis://u:%zz@host',
    'redis+sentinel://one',
    'redis+cluster://one,two/1',
    'redis+cluster://',
  ])('%s is none', (text) => expect(parseRedisAddress(text)).toBeNull());

  it('with a password is encrypted, or stays on this machine', () => {
    expect(isSafeRedisAddress('redis://:secret@redis.example.net')).toBe(false);
    expect(isSafeRedisAddress('redis+sentinel://:secret@127.0.0.1,redis.example.net/main')).toBe(false);
    expect(isSafeRedisAddress('redis://:secret@127.0.0.1')).toBe(true);
    expect(isSafeRedisAddress('rediss://:secret@redis.example.net')).toBe(true);
    expect(isSafeRedisAddress('redis://redis.internal')).toBe(true);
  });
});
